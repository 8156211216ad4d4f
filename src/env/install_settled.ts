/** An install that has nothing to do, which is what most are: told by the manifest, the lock, and what the store has. */
import type { Dirs } from "../base/dirs.ts";
import {
  compareLock,
  type EntryKind,
  type Lock,
  printLock,
} from "../manifest/mod.ts";
import { lstat, readText } from "../os/fs.ts";
import { hasObjects, parseTreeHash } from "../store/mod.ts";
import type { InstalledItem, InstallResult } from "./install.ts";
import { lockedItem, lockPath, readLock } from "./lock_file.ts";
import type { OpenEnv } from "./types.ts";

/**
 * What `installEnv` would return if it had nothing to fetch and nothing to write; undefined when it may have. Nobody is kept
 * from collecting: the lock that names the trees is there, and known to the home. Throws `LOCK_INVALID`, `IO`.
 */
export function settledInstall(
  env: OpenEnv,
  dirs: Dirs,
): InstallResult | undefined {
  const lock = readLock(env);
  if (lock === undefined || compareLock(env.manifest, lock).length > 0) {
    return undefined;
  }
  const path = lockPath(env);
  if (readText(path) !== printLock(lock) || !isRegistered(env)) {
    return undefined;
  }
  const items = [
    ...keptItems(env, lock, "plugins"),
    ...keptItems(env, lock, "skills"),
  ];
  const hashes = items.map(({ tree }) => parseTreeHash(tree));
  if (!hasObjects(dirs.store, hashes)) return undefined;
  return { lock: path, items, removed: [], written: false };
}

function isRegistered({ scope, slot }: OpenEnv): boolean {
  return scope === "named" || lstat(slot.project) !== undefined;
}

function keptItems(
  { manifest }: OpenEnv,
  lock: Lock,
  kind: EntryKind,
): InstalledItem[] {
  return manifest[kind].flatMap((entry) => {
    const row = lockedItem(lock, kind, entry.name);
    if (row === undefined) return [];
    const { name, pin, tree } = row;
    return [{ kind, name, pin, tree, state: "kept" }];
  });
}
