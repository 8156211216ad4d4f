import type { Command } from "../command.ts";
import { installActive } from "../install_outcome.ts";

/** `aenv update`. */
export const command: Command = {
  words: {
    arguments: [{
      name: "name",
      summary: "Plugins and skills whose pins move; all unless given",
      optional: true,
      variadic: true,
    }],
    env: true,
    examples: ["aenv update", "aenv update review"],
  },
  async run(input, host) {
    const names = input.args;
    const titles = names.flatMap((name) => [`plugin ${name}`, `skill ${name}`]);
    return await installActive(input, host, {
      command: "update",
      frozen: false,
      update: names.length === 0 ? "all" : names,
      touches: names.length === 0 ? "installed" : titles,
    });
  },
};
