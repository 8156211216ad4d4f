/** What stands between us and a keyring, in words and with what to do. */
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import { Var } from "../base/env_vars.ts";

/** What was about to be done: `read the secrets of "work"`. */
export type Action = string;

/** The last resort where there is no keyring. */
const FILE_HINT = `keep secrets in a file: export ${Var.secretBackend}=file`;

/** No bus, no keyring program, or one that does not answer. */
export function unavailable(
  action: Action,
  state: string,
  options: { readonly hint?: string; readonly cause?: unknown } = {},
): AppError {
  return new AppError("KEYRING_UNAVAILABLE", `Cannot ${action}: ${state}`, {
    hint: `${options.hint ?? "Log in to a desktop session"}, or ${FILE_HINT}`,
    cause: options.cause,
  });
}

/** It is locked, and nobody can be asked. */
export function locked(
  action: Action,
  hint: string,
  cause?: unknown,
): AppError {
  return new AppError(
    "KEYRING_LOCKED",
    `Cannot ${action}: the keyring is locked`,
    { hint: `${hint}, or ${FILE_HINT}`, cause },
  );
}

/** Somebody was asked and said no, or nobody answered. */
export function cancelled(action: Action, state: string): AppError {
  return new AppError("KEYRING_CANCELLED", `Cannot ${action}: ${state}`, {
    hint: "Do it again, and say yes when the keyring asks",
  });
}

/** `secret "gh-token"`, or `secrets "a" and "b"`. */
export function secretWords(keys: readonly string[]): string {
  const names = keys.map((key) => quote(key));
  const list = names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  return `secret${keys.length === 1 ? "" : "s"} ${list}`;
}
