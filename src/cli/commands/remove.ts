import { type Pointer, removeEnv } from "../../env/mod.ts";
import type { Command } from "../command.ts";
import { pointerWords } from "../pointers.ts";

/** `aenv remove`. */
export const command: Command = {
  words: {
    arguments: [{
      name: "name",
      summary: "Name of the environment, or a project's slot",
    }],
    options: [{
      flags: "--force",
      summary: "Remove it although something names it",
    }],
    examples: ["aenv remove review", "aenv remove review --force"],
  },
  async run(input, host) {
    const done = await removeEnv({
      name: input.args[0]!,
      force: input.options["force"] === true,
    }, host);
    return {
      data: {
        ...done,
        project: done.project ?? null,
      },
      text: () =>
        [
          `removed environment ${done.name}`,
          ...(done.project ? [`the project keeps ${done.project}`] : []),
          ...(done.clearedDefault ? ["default_env is no longer set"] : []),
          ...done.dangling.map(danglingLine),
          `bring it back: aenv rollback ${done.transaction}`,
        ].join("\n"),
    };
  },
};

function danglingLine(pointer: Pointer): string {
  return `${pointerWords(pointer)} still names it`;
}
