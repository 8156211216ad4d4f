import { useTarget } from "../../env/mod.ts";
import type { Command } from "../command.ts";

/** `aenv __use-target use …`: asked by the shell function after `aenv use …` went well. */
export const command: Command = {
  words: {
    arguments: [{
      name: "words",
      summary: "The words of the command line",
      optional: true,
      variadic: true,
    }],
    passThrough: true,
  },
  run(input, host) {
    const [first, ...rest] = input.args;
    // The function asks after any command line with the word in it: `aenv new use` switches nothing.
    const words = first === "use" ? rest : [];
    const names = words.filter((word) => !word.startsWith("-"));
    const switches = words.length - names.length;
    const isPlain = names.length === 1 &&
      switches ===
        words.filter((word) => word === "--json" || word === "--").length;
    const target = isPlain ? useTarget(names[0]!, host) : undefined;
    return { data: target ?? null, text: () => target ?? "" };
  },
};
