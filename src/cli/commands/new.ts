import { AppError } from "../../base/errors.ts";
import { createEnv, hostDirs, type OpenEnv } from "../../env/mod.ts";
import { requireTrust } from "../../launch/mod.ts";
import { type Command, textOption } from "../command.ts";
import { confinedLines } from "../confined_lines.ts";
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
        summary: "Write a manifest without examples",
      },
      {
        flags: "--no-sandbox",
        summary: "Make one in which the agent is not confined",
      },
    ],
    examples: [
      "aenv new review",
      "aenv new mine --from global",
      "aenv new copy --from ./",
    ],
  },
  async run(input, host) {
    const sandbox = input.options["sandbox"] !== false;
    const from = textOption(input, "from");
    // A named env counts as its user's own: a copy must not make that of what a repository brought.
    const check = (source: OpenEnv) =>
      requireTrust(source, { host, dirs: hostDirs(host) });
    if (!sandbox && from !== undefined && from !== "global") {
      throw new AppError(
        "USAGE",
        'Cannot use "--no-sandbox" with "--from": a copy has the sandbox of its source',
        { hint: "Leave it out, and change [sandbox] in the copy" },
      );
    }
    const made = await createEnv({
      name: input.args[0]!,
      from,
      bare: input.options["bare"] === true,
      sandbox,
      check,
    }, host);
    return {
      data: made,
      text: () =>
        [
          `made environment ${made.name}: ${made.path}`,
          ...leftOutLines(made.leftOut),
          ...confinedLines(made.confined, {
            option: ` -E ${made.name}`,
            host,
          }),
          `Declare what it loads in ${made.manifest}`,
          `Use it in a directory: aenv use ${made.name}`,
        ].join("\n"),
    };
  },
};
