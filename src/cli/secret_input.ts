/** Values on their way in: typed unseen, or the whole of a pipe. Never an argument: every process can read those. */
import { AppError, ExitCode } from "../base/errors.ts";
import type { SecretKey } from "../base/secret_key.ts";
import { quote } from "../base/text.ts";
import type { Host } from "../os/host.ts";
import { readHidden, readInput } from "../os/hidden_input.ts";
import {
  MAX_VALUE_BYTES,
  SecretValue,
  withoutLineEnd,
} from "../secrets/mod.ts";

/** The value that the user types or pipes. Throws `SECRET_INVALID`, `INTERRUPTED`, `USAGE` for a second word that is not `-`. */
export function readSecretValue(
  key: SecretKey,
  word: string | undefined,
  host: Host,
): SecretValue {
  if (word !== undefined && word !== "-") {
    // The word may be the value itself: it is not repeated.
    throw new AppError(
      "USAGE",
      `Cannot take the value of secret ${
        quote(key)
      }: an argument can be read by every process`,
      {
        hint:
          `Type it when you are asked, or pipe it: aenv secrets add ${key} < FILE`,
      },
    );
  }
  return new SecretValue(
    host.isTerminal("stdin")
      ? typed(key, word === "-")
      : withoutLineEnd(piped(key)),
  );
}

function typed(key: SecretKey, multiline: boolean): Uint8Array {
  const question = multiline
    ? `Value of ${key} (not shown; end it with Ctrl-D): `
    : `Value of ${key} (not shown): `;
  const bytes = readHidden(question, { multiline });
  if (bytes !== undefined) return bytes;
  throw new AppError(
    "INTERRUPTED",
    `Cannot keep secret ${quote(key)}: nobody gave its value`,
    { exitCode: ExitCode.interrupted },
  );
}

function piped(key: SecretKey): Uint8Array {
  const bytes = readInput(MAX_VALUE_BYTES + 2);
  if (bytes !== undefined) return bytes;
  throw new AppError(
    "SECRET_INVALID",
    `Cannot keep secret ${
      quote(key)
    }: its value has more than ${MAX_VALUE_BYTES} bytes`,
  );
}
