/** What becomes of credentials that stand as plain text in what is to be added. */
import { AppError, ExitCode } from "../base/errors.ts";
import { escapeControl, listWords, quote } from "../base/text.ts";
import { plainCredentials } from "../env/mod.ts";
import type { NamedServer } from "../manifest/mod.ts";
import type { Host } from "../os/host.ts";
import { askLine, writeError } from "../os/terminal.ts";
import { SecretValue } from "../secrets/mod.ts";

/** What `--secrets` takes. */
export const SECRET_MODES = ["keyring", "refuse", "keep"] as const;

/** Where credentials go: to the keyring, or into the manifest as they are. */
export type CredentialPlace = "keyring" | "keep";

/**
 * Decides by `--secrets`, or by asking. From now on the values are masked in all that is printed. Throws `SECRET_IN_TEXT`
 * (exit 2) where nobody said what to do with them.
 */
export function placeCredentials(
  servers: readonly NamedServer[],
  mode: string | undefined,
  host: Host,
): CredentialPlace {
  const found = plainCredentials(servers);
  // Kept alive by nobody: making one is what masks it.
  for (const { value } of found) new SecretValue(value);
  if (found.length === 0) return "keep";
  if (mode === "keyring" || mode === "keep") return mode;
  const isOne = servers.length === 1;
  const places = found.map(({ where, server }) =>
    escapeControl(where) + (isOne ? "" : ` of ${quote(server)}`)
  );
  const isAsked = mode === undefined && host.isTerminal("stdin") &&
    host.isTerminal("stderr");
  return isAsked ? ask(places) : refuse(places, servers);
}

function refuse(
  places: readonly string[],
  servers: readonly NamedServer[],
): never {
  const names = servers.map(({ name }) => name).join(", ");
  const verb = places.length === 1
    ? "looks like a credential"
    : "look like credentials";
  throw new AppError(
    "SECRET_IN_TEXT",
    `Cannot add ${quote(names)}: ${listWords(places)} ${verb}`,
    {
      exitCode: ExitCode.usage,
      hint:
        "Keep such values in the keyring: aenv add mcp --secrets keyring …; or write them down as they are: --secrets keep",
    },
  );
}

function ask(places: readonly string[]): CredentialPlace {
  writeError(
    `These look like credentials:\n${
      places.map((place) => `  ${place}\n`).join("")
    }`,
  );
  const toKeyring = askLine("Keep them in the keyring? [Y/n] ");
  if (toKeyring !== undefined && /^\s*(y|yes)?\s*$/i.test(toKeyring)) {
    return "keyring";
  }
  const asText = askLine("Write them into aenv.toml as plain text? [y/N] ");
  if (/^\s*(y|yes)\s*$/i.test(asText ?? "")) return "keep";
  throw new AppError(
    "SECRET_IN_TEXT",
    "Cannot add the server: you said no to both ways of keeping its credentials",
    { hint: "Name a secret instead: -e 'NAME=${secret:KEY}'" },
  );
}
