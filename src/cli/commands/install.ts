import type { Command } from "../command.ts";
import { installActive } from "../install_outcome.ts";

/** `aenv install`. */
export const command: Command = {
  words: {
    options: [{
      flags: "--frozen",
      summary: "Refuse whatever the lock does not pin",
    }],
    env: true,
    examples: ["aenv install", "aenv install --frozen"],
  },
  async run(input, host) {
    const frozen = input.options["frozen"] === true;
    return await installActive(input, host, {
      command: "install",
      frozen,
      update: [],
      touches: [],
    });
  },
};
