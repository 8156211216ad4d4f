import { type Pointer, renameEnv } from "../../env/mod.ts";
import type { Command } from "../command.ts";
import { pointerWords } from "../pointers.ts";

/** `aenv rename`. */
export const command: Command = {
  words: {
    arguments: [
      { name: "old", summary: "Name of the environment" },
      { name: "new", summary: "Its new name" },
    ],
    examples: ["aenv rename review code-review"],
  },
  async run(input, host) {
    const done = await renameEnv(
      { from: input.args[0]!, to: input.args[1]! },
      host,
    );
    return {
      data: done,
      text: () =>
        [
          `renamed environment ${done.from} to ${done.to}`,
          ...(done.movedDefault ? ["default_env follows"] : []),
          ...done.dangling.map((pointer) => danglingLine(pointer, done)),
        ].join("\n"),
    };
  },
};

function danglingLine(
  pointer: Pointer,
  { from, to }: { from: string; to: string },
): string {
  const fix = pointer.kind === "pin" ? `: aenv use ${to} there` : "";
  return `${pointerWords(pointer)} still says ${from}${fix}`;
}
