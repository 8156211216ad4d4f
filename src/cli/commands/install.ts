import { type Command, textOption } from "../command.ts";
import { settledOutcome } from "../install_settled.ts";

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
    const settled = settledOutcome(textOption(input, "env"), host);
    if (settled !== undefined) return settled;
    const { installActive } = await import("../install_outcome.ts");
    return await installActive(input, host, {
      command: "install",
      frozen,
      update: [],
      touches: [],
    });
  },
};
