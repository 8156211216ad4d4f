/** `[secrets]`. */
import { nameProblem } from "../base/ids.ts";
import { secretKeyProblem } from "../base/secret_key.ts";
import { quote } from "../base/text.ts";
import type { KeyPath, Reader } from "./reader.ts";
import type { SecretsSection } from "./schema.ts";

/** Keys of `[secrets]` that are no secrets. */
export const SECRETS_KEYS = ["expose", "command"] as const;

/** Keys of `[secrets.<key>]`. */
export const SECRET_KEYS = ["tools", "command"] as const;

/** Tools that get a secret when the manifest names none. */
const DEFAULT_TOOLS = [
  "npm",
  "npx",
  "yarn",
  "pnpm",
  "bun",
  "git",
  "gh",
  "aws",
  "s4cmd",
  "gcloud",
  "gsutil",
  "bq",
  "curl",
] as const;

/** Programs that run whatever they are told: a secret handed to one is handed to everything. */
const INTERPRETERS =
  /^(a|ba|da|k|z|fi|tc|c)?sh$|^(node|deno|python[0-9.]*|perl|ruby|php|lua|env|sudo|xargs)$/;

/** Reads `[secrets]`. */
export function parseSecrets(reader: Reader, value: unknown): SecretsSection {
  const { expose, command, ...rest } = reader.anyTable(value, ["secrets"]);
  const tools: Record<string, readonly string[]> = {};
  const commands: Record<string, string> = {};
  for (const [key, item] of Object.entries(rest)) {
    const path = ["secrets", key];
    const problem = secretKeyProblem(key);
    if (problem !== undefined) {
      reader.fail(
        path,
        `the secret key ${quote(key)} cannot be used: ${problem}`,
      );
    }
    const table = reader.table(item, path, SECRET_KEYS);
    const own = parseCommand(reader, table["command"], [...path, "command"]);
    if (own !== undefined) commands[key] = own;
    // A table with a command alone says where the value comes from, and hands it to no tool.
    if (table["tools"] === undefined && own !== undefined) continue;
    tools[key] = parseTools(reader, table["tools"], [...path, "tools"]);
  }
  const exposed = expose === undefined
    ? undefined
    : reader.choice(expose, ["secrets", "expose"], ["env"]);
  return {
    expose: exposed,
    command: parseCommand(reader, command, ["secrets", "command"]),
    commands,
    tools,
  };
}

/** A shell command; refused when it is empty or could not be shown as it is. */
function parseCommand(
  reader: Reader,
  value: unknown,
  path: KeyPath,
): string | undefined {
  if (value === undefined) return undefined;
  const command = reader.required(value, path);
  if (command.trim() === "") reader.fail(path, "the command is empty");
  if (command.includes("\0")) reader.fail(path, "the command holds a NUL");
  return command;
}

function parseTools(
  reader: Reader,
  value: unknown,
  path: KeyPath,
): readonly string[] {
  if (value === undefined) return DEFAULT_TOOLS;
  const tools = reader.strings(value, path);
  for (const [i, tool] of tools.entries()) {
    const problem = nameProblem(tool) ??
      (INTERPRETERS.test(tool) ? "it runs whatever it is told" : undefined);
    if (problem !== undefined) {
      reader.fail(
        [...path, i],
        `the tool ${quote(tool)} cannot be given a secret: ${problem}`,
      );
    }
  }
  return tools;
}
