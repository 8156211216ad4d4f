import { tilde } from "../../base/paths.ts";
import { useEnv, type UseResult } from "../../env/mod.ts";
import type { Host } from "../../os/host.ts";
import type { Command } from "../command.ts";

/** `aenv use`. */
export const command: Command = {
  words: {
    arguments: [{ name: "name", summary: "Environment, or global for none" }],
    options: [{
      flags: "--global",
      summary: "Make it the default instead of pinning it to this directory",
    }],
    examples: ["aenv use review", "aenv use --global default"],
  },
  async run(input, host) {
    const done = await useEnv({
      name: input.args[0]!,
      global: input.options["global"] === true,
    }, host);
    return {
      data: { ...done, mismatch: done.mismatch ?? null },
      text: () => lines(done, host).join("\n"),
    };
  },
};

function lines(done: UseResult, host: Host): string[] {
  const file = tilde(done.file, host.env["HOME"] ?? "");
  const what = {
    pin: `pinned ${done.name} in ${file}`,
    default_env: `default_env is ${done.name} in ${file}`,
    manifest: `nothing to do: ${file} decides here, and it is ${done.name}`,
  }[done.kind];
  return [
    what,
    ...done.shadowedBy.map((shadow) => shadowLine(shadow, host)),
    ...(done.mismatch === undefined
      ? []
      : [`claude does not fit ${done.name}: ${done.mismatch}`]),
  ];
}

function shadowLine(shadow: string, host: Host): string {
  if (!/^AENV/.test(shadow)) return `${shadow} wins over it here`;
  return `${shadow}=${
    host.env[shadow]
  } wins over it in this shell: unset ${shadow}`;
}
