/** `remove`: takes an env away, whole or not at all. */
import { AppError } from "../base/errors.ts";
import { type EnvName, parseEnvName } from "../base/ids.ts";
import { type AbsPath, join } from "../base/paths.ts";
import type { SecretKey } from "../base/secret_key.ts";
import { quote } from "../base/text.ts";
import { lstat } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { hostDirs } from "./active.ts";
import { setDefaultEnv } from "./config_edit.ts";
import { slotProject } from "./list.ts";
import { notFound } from "./open.ts";
import { findPointers, type Pointer, requireIdle } from "./pointers.ts";
import type { SecretPlace } from "./secrets.ts";
import { slotSecrets } from "./slot_secrets.ts";
import { transact } from "./slots.ts";
import type { TxId } from "../tx/mod.ts";

/** What was removed. */
export interface RemoveResult {
  readonly name: EnvName;
  readonly path: AbsPath;
  /** The manifest of the project whose slot it was; it stays. */
  readonly project: AbsPath | undefined;
  readonly clearedDefault: boolean;
  /** What names the env still. */
  readonly dangling: readonly Pointer[];
  /** What to roll back to have it again. */
  readonly transaction: TxId;
  /** Keys of the secrets that it kept, and whether their values are gone too; a rollback does not bring them back. */
  readonly secrets: {
    readonly keys: readonly SecretKey[];
    readonly removed: boolean;
  };
}

/** What to remove. */
export interface RemoveInput {
  readonly name: string;
  readonly force: boolean;
  /** Whether the values of its secrets go too. */
  readonly secrets?: boolean;
}

/** Removes a global env, or a project's slot by the slot's name. Throws `ENV_RESERVED`, `ENV_NOT_FOUND`, `ENV_BUSY`, `ENV_IN_USE`, `IO`, and what keeps secrets from being removed. */
export async function removeEnv(
  input: RemoveInput,
  host: Host,
): Promise<RemoveResult> {
  const name = parseEnvName(input.name);
  const dirs = hostDirs(host);
  const path = join(dirs.envs, name);
  if (lstat(path) === undefined) throw notFound(name);
  const about = { kind: "remove", env: name };
  return await transact(about, { host, dirs }, async (tx) => {
    if (lstat(path) === undefined) throw notFound(name);
    requireIdle(name, "remove", dirs);
    const pointers = findPointers(name, host, dirs);
    if (pointers.length > 0 && !input.force) {
      const command = `aenv remove ${name} --force`;
      throw inUse(name, pointers, { action: "remove", command });
    }
    const project = slotProject(path);
    const clears = pointers.some((pointer) => pointer.kind === "default_env");
    // First the values: killed after that, the env is there and its index says what is left.
    const secrets = await takeSecrets(input, { host, dirs });
    tx.take(path);
    // A launch writes its record before it looks whether the env is there: one of the two sees the other.
    requireIdle(name, "remove", dirs);
    if (clears) setDefaultEnv(undefined, { dirs, tx });
    return {
      name,
      path,
      project,
      clearedDefault: clears,
      dangling: pointers.filter((pointer) => pointer.kind !== "default_env"),
      transaction: tx.id!,
      secrets,
    };
  });
}

async function takeSecrets(
  { name, secrets: removed = false }: RemoveInput,
  place: SecretPlace,
): Promise<RemoveResult["secrets"]> {
  try {
    const { secrets, keys, problem } = await slotSecrets(name, place);
    if (!removed) return { keys, removed };
    if (problem !== undefined) throw problem;
    for (const key of keys) await secrets.remove(key);
    return { keys, removed };
  } catch (error) {
    // What is broken can be removed all the same; values stay unless they were asked for.
    if (removed || !(error instanceof AppError)) throw error;
    return { keys: [], removed };
  }
}

/** The error for an env that something names. */
export function inUse(
  name: string,
  pointers: readonly Pointer[],
  { action, command }: { action: string; command: string },
): AppError {
  const list = pointers.map((pointer) =>
    pointer.kind === "default_env"
      ? `default_env in ${quote(pointer.where)}`
      : pointer.where.startsWith("$")
      ? `${pointer.where} in this shell`
      : quote(pointer.where)
  ).join(", ");
  return new AppError(
    "ENV_IN_USE",
    `Cannot ${action} environment ${quote(name)}: it is named by ${list}`,
    { hint: `Remove it all the same: ${command}` },
  );
}
