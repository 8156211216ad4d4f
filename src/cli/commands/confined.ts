import { asRefusal } from "../../base/errors.ts";
import { parseAbsPath } from "../../base/paths.ts";
import { hostDirs } from "../../env/mod.ts";
import { becomeByFile } from "../../launch/mod.ts";
import type { Command } from "../command.ts";

/** `aenv __confined`: confines itself and becomes a program, for whoever watches that. */
export const command: Command = {
  words: {
    arguments: [
      { name: "file", summary: "The policy" },
      { name: "command", summary: "Program and arguments", variadic: true },
    ],
    passThrough: true,
    examples: ["aenv __confined /run/policy.json /bin/true"],
  },
  async run({ args: [file, path, ...args] }, host) {
    try {
      return await becomeByFile(
        parseAbsPath(file!, "the policy"),
        { path: path!, args, env: host.env },
        hostDirs(host),
      );
    } catch (error) {
      throw asRefusal(error);
    }
  },
};
