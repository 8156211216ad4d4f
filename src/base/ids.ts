/** Names that come from users, files and repositories: made only by the parse functions here. */
import { AppError } from "./errors.ts";
import { quote } from "./text.ts";

/** Name of a global environment: `[A-Za-z0-9_][A-Za-z0-9._-]*`, at most 100 characters, never `global`. */
export type EnvName = string & { readonly __brand: "EnvName" };

/** Name of a plugin, skill or MCP server; same grammar as {@link EnvName} but `global` is allowed. */
export type ItemName = string & { readonly __brand: "ItemName" };

/** The reserved name of the user's own, untouched configuration. */
export const GLOBAL = "global";

/** Longest name, in characters: leaves room for the slot's suffix in a 255-byte file name. */
export const MAX_NAME_LENGTH = 100;

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
/** Device names that Windows answers for in every directory. */
const WINDOWS_DEVICE =
  /^(con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])\s*(\.|$)/i;

/** Whether Windows takes this file name for a device, whatever its ending. */
export function isWindowsDevice(name: string): boolean {
  return WINDOWS_DEVICE.test(name);
}

/** Why `text` is not a valid name, in a few words; undefined when it is one. */
export function nameProblem(text: string): string | undefined {
  if (text === "") return "it is empty";
  if (text.length > MAX_NAME_LENGTH) {
    return `it has ${text.length} characters, at most ${MAX_NAME_LENGTH} are allowed`;
  }
  if (text.startsWith(".")) return "it starts with a dot";
  if (text.startsWith("-")) return "it starts with a dash";
  if (!NAME.test(text)) return foreignCharacter(text);
  if (text.endsWith(".")) return "it ends with a dot";
  if (isWindowsDevice(text)) return "it is a device name on Windows";
  return undefined;
}

/** Names the first character that may not be there: some look like those that may. */
function foreignCharacter(text: string): string {
  const rule = "only A-Z a-z 0-9 . _ and - are allowed";
  const found = [...text].find((c) => !/[A-Za-z0-9._-]/.test(c)) ?? "";
  const code = found.codePointAt(0) ?? 0;
  return code < 0x80
    ? rule
    : `${rule}, not U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Whether `text` is the reserved name, in any case: file systems may not tell the cases apart. */
export function isGlobal(text: string): boolean {
  return text.toLowerCase() === GLOBAL;
}

/**
 * Parses an environment name.
 * Throws `NAME_INVALID`, or `ENV_RESERVED` for `global`.
 */
export function parseEnvName(text: string): EnvName {
  const problem = nameProblem(text);
  if (problem !== undefined) {
    throw new AppError(
      "NAME_INVALID",
      `Cannot use ${quote(text)} as an environment name: ${problem}`,
      { hint: "Choose a name such as: my-env" },
    );
  }
  if (isGlobal(text)) {
    throw new AppError(
      "ENV_RESERVED",
      `Cannot use ${
        quote(text)
      } as an environment name: it is reserved for your own configuration`,
      { hint: "Choose another name" },
    );
  }
  return text as EnvName;
}

/** Parses the name of a plugin, skill or MCP server. Throws `NAME_INVALID`. */
export function parseItemName(text: string): ItemName {
  const problem = nameProblem(text);
  if (problem === undefined) return text as ItemName;
  throw new AppError(
    "NAME_INVALID",
    `Cannot use ${quote(text)} as a name: ${problem}`,
  );
}
