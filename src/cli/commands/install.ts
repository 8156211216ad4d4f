import { activeEnv, requireNamed } from "../../env/mod.ts";
import { settledTyped } from "../../launch/mod.ts";
import { type Command, textOption } from "../command.ts";
import { installReport } from "../install_report.ts";

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
    const { env, dirs } = activeEnv(host, textOption(input, "env"));
    const opened = requireNamed(env, "install");
    const settled = settledTyped(opened, dirs);
    if (settled !== undefined) return installReport(settled, opened, host);
    const { installActive } = await import("../install_outcome.ts");
    return await installActive(input, host, {
      command: "install",
      frozen,
      update: [],
      touches: [],
    });
  },
};
