import { createEnv, hostDirs, type OpenEnv } from "../../env/mod.ts";
import { requireTrust } from "../../launch/mod.ts";
import { type Command, textOption } from "../command.ts";
import { leftOutLines } from "../left_out.ts";

/** `aenv new`. */
export const command: Command = {
  words: {
    arguments: [{ name: "name", summary: "Name of the new environment" }],
    options: [
      {
        flags: "--from <env>",
        summary:
          "Copy this one: a name, a path to an aenv.toml, or global for your own configuration",
      },
      {
        flags: "--bare",
        summary: "Write a manifest with the required keys only",
      },
    ],
    examples: [
      "aenv new review",
      "aenv new mine --from global",
      "aenv new copy --from ./",
    ],
  },
  async run(input, host) {
    const from = textOption(input, "from");
    // A named env counts as its user's own: a copy must not make that of what a repository brought.
    const check = (source: OpenEnv) =>
      requireTrust(source, { host, dirs: hostDirs(host) });
    const made = await createEnv({
      name: input.args[0]!,
      from,
      bare: input.options["bare"] === true,
      check,
    }, host);
    return {
      data: made,
      text: () =>
        [
          `made environment ${made.name}: ${made.path}`,
          ...leftOutLines(made.leftOut),
          `Declare what it loads in ${made.manifest}`,
          `Use it in a directory: aenv use ${made.name}`,
        ].join("\n"),
    };
  },
};
