/** What stands between us and a keyring, in words and with what to do. */
import { AppError } from "../base/errors.ts";
import { Var } from "../base/env_vars.ts";
import { quote } from "../base/text.ts";

/** What the keyring was asked for: a key, or several. */
export type Subject = string;

/** The last resort where there is no keyring. */
const FILE_HINT = `keep secrets in a file: export ${Var.secretBackend}=file`;

/** No bus, no keyring program, or one that does not answer. */
export function unavailable(
  subject: Subject,
  state: string,
  options: { readonly hint?: string; readonly cause?: unknown } = {},
): AppError {
  return new AppError(
    "KEYRING_UNAVAILABLE",
    `Cannot use the keyring for ${quote(subject)}: ${state}`,
    {
      hint: `${options.hint ?? "Log in to a desktop session"}, or ${FILE_HINT}`,
      cause: options.cause,
    },
  );
}

/** It is locked, and nobody can be asked. */
export function locked(
  subject: Subject,
  hint: string,
  cause?: unknown,
): AppError {
  return new AppError(
    "KEYRING_LOCKED",
    `Cannot use the keyring for ${quote(subject)}: it is locked`,
    { hint: `${hint}, or ${FILE_HINT}`, cause },
  );
}

/** Somebody was asked and said no, or nobody answered. */
export function cancelled(subject: Subject, state: string): AppError {
  return new AppError(
    "KEYRING_CANCELLED",
    `Cannot use the keyring for ${quote(subject)}: ${state}`,
    { hint: "Do it again, and say yes when the keyring asks" },
  );
}
