import { AppError } from "../../base/errors.ts";
import { activeEnv, claudeShim, hostDirs } from "../../env/mod.ts";
import { findClaude } from "../../launch/mod.ts";
import type { Host } from "../../os/host.ts";
import type { Command } from "../command.ts";

const THINGS = ["home", "shim", "claude", "env"] as const;

/** `aenv which`. */
export const command: Command = {
  words: {
    arguments: [
      { name: "thing", summary: "home, shim, claude or env" },
      { name: "name", summary: "With env: which one", optional: true },
    ],
    examples: ["aenv which claude", "aenv which env review"],
  },
  run(input, host) {
    const [thing = "", name] = input.args;
    const path = find(thing, name, host);
    return { data: { thing, path }, text: () => path };
  },
};

function find(thing: string, name: string | undefined, host: Host): string {
  const known = THINGS.find((word) => word === thing);
  if (known === undefined || (known !== "env" && name !== undefined)) {
    throw new AppError(
      "USAGE",
      `Cannot run "aenv which": ${
        known === undefined ? "there is no such thing" : "that has no name"
      }`,
      { hint: "Ask for one of: home, shim, claude, env [NAME]" },
    );
  }
  const dirs = hostDirs(host);
  if (known === "home") return dirs.root;
  if (known === "shim") return claudeShim(host, dirs);
  if (known === "claude") return findClaude(host, dirs);
  const { env } = activeEnv(host, name);
  if (env.kind === "env") return env.slot.root;
  throw new AppError(
    "ENV_RESERVED",
    'Cannot name a directory for "global": it is your own configuration',
    { hint: "See where that is: aenv status -E global" },
  );
}
