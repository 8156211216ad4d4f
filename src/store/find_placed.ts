/** From trees that stand somewhere back to the objects that they are of. Takes no lock. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { markOf } from "../os/marks.ts";
import type { TreeHash } from "./entries.ts";
import { listObjects, namesIn } from "./inventory.ts";
import { scanTree } from "./scan.ts";
import type { Store } from "./store.ts";
import { hashEntries } from "./tree_hash.ts";

/** Hashes of all objects, in order. */
export function storedHashes(store: Store): readonly TreeHash[] {
  return listObjects(store).hashes;
}

/**
 * For each path the objects that were placed there, as far as it is recorded; a record may be older than what stands there,
 * so there may be more than one.
 */
export function placedHashes(
  store: Store,
  paths: readonly AbsPath[],
): TreeHash[][] {
  const byInode = new Map<string, TreeHash[]>();
  for (const hash of paths.length === 0 ? [] : storedHashes(store)) {
    const links = join(store.objectDir(hash), "links");
    if (markOf(links) === undefined) continue;
    for (const inode of namesIn(links)) {
      byInode.set(inode, [...byInode.get(inode) ?? [], hash]);
    }
  }
  return paths.map((path) => byInode.get(String(markOf(path)?.ino)) ?? []);
}

/** Hash of everything that stands at `path`; undefined when that is no tree that could be in a store. Throws `IO`. */
export function hashPlaced(path: AbsPath): TreeHash | undefined {
  try {
    const limits = { entries: Infinity, bytes: Infinity };
    return hashEntries(scanTree(path, { all: true, limits }));
  } catch (error) {
    const isRefused = error instanceof AppError &&
      error.code === "CONTENT_INVALID";
    if (!isRefused) throw error;
    return undefined;
  }
}
