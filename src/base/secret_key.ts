/** Names of secrets. */
import { AppError } from "./errors.ts";
import { MAX_NAME_LENGTH } from "./ids.ts";
import { quote } from "./text.ts";

/** Key of a secret: `[A-Za-z0-9_][A-Za-z0-9._-]*`, at most 100 characters. Made by {@link parseSecretKey} only. */
export type SecretKey = string & { readonly __brand: "SecretKey" };

const KEY = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/** Why `text` is no key, in a few words; undefined when it is one. */
export function secretKeyProblem(text: string): string | undefined {
  if (text === "") return "it is empty";
  if (text.length > MAX_NAME_LENGTH) {
    return `it has ${text.length} characters, at most ${MAX_NAME_LENGTH} are allowed`;
  }
  if (text.startsWith(".")) return "it starts with a dot";
  if (text.startsWith("-")) return "it starts with a dash";
  return KEY.test(text) ? undefined : "only A-Z a-z 0-9 . _ and - are allowed";
}

/** Parses a key. Throws `NAME_INVALID`. */
export function parseSecretKey(text: string): SecretKey {
  const problem = secretKeyProblem(text);
  if (problem === undefined) return text as SecretKey;
  throw new AppError(
    "NAME_INVALID",
    `Cannot use ${quote(text)} as the key of a secret: ${problem}`,
    { hint: "Choose a key such as: gh-token" },
  );
}
