import { activeEnv, requireNamed } from "../../env/mod.ts";
import { removeEntry } from "../../manifest/mod.ts";
import { type Command, textOption } from "../command.ts";
import { installEdited } from "../install_outcome.ts";
import { parseKind } from "./add.ts";

/** `aenv rm`. */
export const command: Command = {
  words: {
    arguments: [
      { name: "kind", summary: "plugin or skill" },
      { name: "name", summary: "Its name" },
    ],
    env: true,
    examples: ["aenv rm plugin review"],
  },
  async run(input, host) {
    const kind = parseKind(input.args[0]!);
    const env = requireNamed(
      activeEnv(host, textOption(input, "env")).env,
      "remove from",
    );
    const text = removeEntry(env.manifestText, input.args[1]!, {
      kind,
      file: env.manifestPath,
    });
    return await installEdited(env, text, { host, command: "rm" });
  },
};
