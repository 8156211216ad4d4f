/** The variable that holds a secret where an env says `expose = "env"`. */
import { Var } from "../base/env_vars.ts";
import { AppError, ExitCode } from "../base/errors.ts";
import type { SecretKey } from "../base/secret_key.ts";
import { quote } from "../base/text.ts";

/** `AENV_<ENV>_<KEY>`: capitals, and `_` for all that variables may not have. */
export function variableName(label: string, key: SecretKey): string {
  return `AENV_${label}_${key}`.toUpperCase().replace(/[^A-Z0-9_]/g, "_");
}

/** Variable by key. Throws `SECRET_INVALID` (exit 3) when two keys get the same one, or one that aenv or `taken` uses. */
export function variableNames(
  label: string,
  keys: Iterable<SecretKey>,
  taken: Iterable<string> = [],
): ReadonlyMap<SecretKey, string> {
  const owners = new Map<string, string>();
  for (const name of taken) owners.set(name, "[vars]");
  for (const name of Object.values(Var)) owners.set(name, "aenv itself");
  const names = new Map<SecretKey, string>();
  for (const key of new Set(keys)) {
    const name = variableName(label, key);
    const owner = owners.get(name);
    if (owner !== undefined) throw collision(key, name, { owner });
    owners.set(name, `the secret ${quote(key)}`);
    names.set(key, name);
  }
  return names;
}

function collision(
  key: SecretKey,
  variable: string,
  { owner }: { owner: string },
): AppError {
  return new AppError(
    "SECRET_INVALID",
    `Cannot give the agent the secret ${
      quote(key)
    }: its variable ${variable} is taken by ${owner}`,
    { hint: "Give it another key", exitCode: ExitCode.refused },
  );
}
