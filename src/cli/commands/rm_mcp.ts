import { activeEnv, referredKeys, requireNamed } from "../../env/mod.ts";
import { parseManifest, removeServer } from "../../manifest/mod.ts";
import { type Command, textOption } from "../command.ts";
import { installEdited } from "../install_outcome.ts";

/** `aenv rm mcp`. */
export const command: Command = {
  words: {
    arguments: [{ name: "name", summary: "Its name" }],
    options: [{
      flags: "-s, --scope <scope>",
      summary: "Taken and not needed: the scope is the environment",
    }],
    env: true,
    examples: ["aenv rm mcp github"],
  },
  async run(input, host) {
    const env = requireNamed(
      activeEnv(host, textOption(input, "env")).env,
      "remove from",
    );
    const [name = ""] = input.args;
    const file = env.manifestPath;
    const text = removeServer(env.manifestText, name, { file });
    const touches = [`mcp server ${name}`];
    const outcome = await installEdited(env, { text, touches }, {
      host,
      command: "rm",
    });
    const left = new Set(referredKeys(parseManifest(text, file)));
    const keys = [...new Set(referredKeys(env.manifest))]
      .filter((key) => !left.has(key));
    const hints = keys.map((key) =>
      `its secret ${key} is still kept; forget it: aenv secrets rm ${key}`
    );
    return {
      ...outcome,
      text: () => [outcome.text(), ...hints].join("\n"),
    };
  },
};
