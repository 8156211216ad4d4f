/** The lock of an env: `aenv.lock` beside its manifest. */
import { LOCK_FILE } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, join, parent } from "../base/paths.ts";
import { listWords, quote } from "../base/text.ts";
import {
  compareLock,
  type EntryKind,
  type Lock,
  type LockDifference,
  type LockedItem,
  parseLock,
} from "../manifest/mod.ts";
import { readText } from "../os/fs.ts";
import type { OpenEnv } from "./types.ts";

/** Most bytes that a lock may have. */
export const MAX_LOCK_BYTES = 4 * 1024 * 1024;

/** Path of the lock of an env. */
export function lockPath(env: OpenEnv): AbsPath {
  return join(parent(env.manifestPath), LOCK_FILE);
}

/** The lock of an env; undefined when it was never installed. Throws `LOCK_INVALID`, `IO`. */
export function readLock(env: OpenEnv): Lock | undefined {
  const path = lockPath(env);
  const text = readText(path, MAX_LOCK_BYTES);
  return text === undefined ? undefined : parseLock(text, path);
}

/** The lock of an env, which must pin just what its manifest declares; undefined when there is none. Throws `LOCK_OUTDATED`. */
export function readAgreedLock(env: OpenEnv): Lock | undefined {
  const lock = readLock(env);
  if (lock === undefined) return undefined;
  const differences = compareLock(env.manifest, lock);
  if (differences.length > 0) throw outdated(env, differences);
  return lock;
}

/** The row of a lock for one plugin or skill. */
export function lockedItem(
  lock: Lock,
  kind: EntryKind,
  name: string,
): LockedItem | undefined {
  return lock[kind].find((item) => item.name === name);
}

/** The error for a lock that does not say what the manifest says. */
export function outdated(
  env: OpenEnv,
  differences: readonly LockDifference[],
): AppError {
  const words = differences.map(describeDifference);
  return new AppError(
    "LOCK_OUTDATED",
    `Cannot use lock ${quote(lockPath(env))}: it differs from the manifest (${
      listWords(words)
    })`,
    { hint: "Bring it up to date: aenv install" },
  );
}

/** The error for an env that has no lock, where one is needed. */
export function noLock(env: OpenEnv): AppError {
  return new AppError(
    "LOCK_OUTDATED",
    `Cannot use lock ${quote(lockPath(env))}: there is none`,
    { hint: "Write it, and commit it: aenv install" },
  );
}

/** `plugin review: added`. */
export function describeDifference(difference: LockDifference): string {
  const { kind, change } = difference;
  if (kind === "sandbox") return `sandbox ${change}`;
  if (kind === "mcp") return `mcp ${difference.name} ${change}`;
  const name = difference.change === "removed"
    ? difference.locked.name
    : difference.entry.name;
  return `${kind.slice(0, -1)} ${name} ${change}`;
}
