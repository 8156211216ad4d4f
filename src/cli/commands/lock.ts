import { ExitCode } from "../../base/errors.ts";
import { tilde } from "../../base/paths.ts";
import {
  activeEnv,
  describeDifference,
  lockPath,
  readLock,
  requireNamed,
} from "../../env/mod.ts";
import { compareLock, EMPTY_LOCK } from "../../manifest/mod.ts";
import { type Command, type Outcome, textOption } from "../command.ts";
import { installActive } from "../install_outcome.ts";
import type { Host } from "../../os/host.ts";

/** `aenv lock`. */
export const command: Command = {
  words: {
    options: [{
      flags: "--check",
      summary: "Only say whether manifest and lock agree",
    }],
    env: true,
    examples: ["aenv lock", "aenv lock --check"],
  },
  async run(input, host) {
    if (input.options["check"] === true) {
      return check(host, textOption(input, "env"));
    }
    return await installActive(input, host, {
      command: "lock",
      frozen: false,
      update: [],
      touches: [],
    });
  },
};

function check(host: Host, option: string | undefined): Outcome {
  const env = requireNamed(activeEnv(host, option).env, "lock");
  const found = readLock(env);
  const differences = compareLock(env.manifest, found ?? EMPTY_LOCK).map(
    describeDifference,
  );
  const missing = found === undefined && differences.length > 0;
  const path = tilde(lockPath(env), host.env["HOME"] ?? "");
  return {
    data: {
      lock: lockPath(env),
      agrees: differences.length === 0,
      differences,
    },
    text: () =>
      differences.length === 0 ? `${path} agrees with the manifest` : [
        missing ? `there is no ${path}` : `${path} differs from the manifest:`,
        ...differences.map((d) => `  ${d}`),
      ]
        .join("\n"),
    exitCode: differences.length === 0 ? ExitCode.ok : ExitCode.failed,
  };
}
