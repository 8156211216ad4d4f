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
    const name = input.args[1]!;
    const text = removeEntry(env.manifestText, name, {
      kind,
      file: env.manifestPath,
    });
    const touches = [`${kind.slice(0, -1)} ${name}`];
    return await installEdited(env, { text, touches }, { host, command: "rm" });
  },
};
