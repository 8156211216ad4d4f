import { AppError } from "../../base/errors.ts";
import { parseItemName } from "../../base/ids.ts";
import { quote } from "../../base/text.ts";
import { activeEnv, requireNamed } from "../../env/mod.ts";
import { addEntry, type EntryKind } from "../../manifest/mod.ts";
import { type Command, textOption } from "../command.ts";
import { installEdited } from "../install_outcome.ts";

/** `aenv add`. */
export const command: Command = {
  words: {
    arguments: [
      { name: "kind", summary: "plugin or skill" },
      { name: "name", summary: "Its name, or NAME@MARKETPLACE for a plugin" },
    ],
    options: [
      {
        flags: "--source <source>",
        summary: "npm:, git+https://, https://….tar.gz, or a path",
      },
      { flags: "--subpath <dir>", summary: "Directory inside the source" },
    ],
    env: true,
    examples: [
      "aenv add plugin review --source git+https://example.com/plugins.git#v2 --subpath plugins/review",
      "aenv add skill strict --source ./skills/strict",
      "aenv add plugin review@acme/plugins",
    ],
  },
  async run(input, host) {
    const kind = parseKind(input.args[0]!);
    const env = requireNamed(
      activeEnv(host, textOption(input, "env")).env,
      "add to",
    );
    const { name, source } = nameAndSource(
      input.args[1]!,
      textOption(input, "source"),
    );
    const entry = {
      name: parseItemName(name),
      source,
      subpath: textOption(input, "subpath"),
    };
    const text = addEntry(env.manifestText, entry, {
      kind,
      file: env.manifestPath,
    });
    const touches = [`${kind.slice(0, -1)} ${entry.name}`];
    return await installEdited(env, { text, touches }, {
      host,
      command: "add",
    });
  },
};

/** `plugin` or `skill`. Throws `USAGE`. */
export function parseKind(text: string): EntryKind {
  if (text === "plugin" || text === "skill") return `${text}s`;
  throw new AppError(
    "USAGE",
    `Cannot use ${quote(text)} as a kind: there are plugin and skill`,
    {
      hint: "Type: aenv add plugin NAME --source SOURCE",
    },
  );
}

/** `review@acme/plugins` is a plugin of a marketplace: name and source in one. */
function nameAndSource(
  text: string,
  source: string | undefined,
): { name: string; source: string } {
  const cut = text.indexOf("@");
  if (source !== undefined) return { name: text, source };
  if (cut > 0) return { name: text.slice(0, cut), source: text };
  throw new AppError("USAGE", `Cannot add ${quote(text)}: it has no source`, {
    hint: `Say where it comes from: aenv add plugin ${text} --source SOURCE`,
  });
}
