/** Removing objects that nobody needs. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { makeDir, removeFile, removeTree, rename } from "../os/fs.ts";
import { markOf } from "../os/marks.ts";
import type { TreeHash } from "./entries.ts";
import { listObjects, measure, namesIn } from "./inventory.ts";
import { readObject, type StoredObject } from "./objects.ts";
import { poolDir } from "./pool.ts";
import { dropPool } from "./pool_care.ts";
import { lockObject } from "./recheck.ts";
import { readRecord } from "./records.ts";
import { type Store, sweep } from "./store.ts";

/** What a collection did. */
export interface Collected {
  /** Objects removed. */
  readonly removed: number;
  /** Objects that are still there. */
  readonly kept: number;
  /** Bytes given back: objects, linked copies that no environment links to any more, and what had been put aside. */
  readonly bytes: number;
}

/** What a collection needs to know. */
export interface CollectOptions {
  /**
   * The trees that locks and snapshots name. Asked when nothing can be inserted or linked: what an installation has just
   * finished stands in its lock by then. It must not use the store.
   */
  readonly keep: () => Iterable<TreeHash> | Promise<Iterable<TreeHash>>;
}

/**
 * Removes every object that is neither to be kept nor in use by a living process, leftovers of dead processes, and what
 * was put aside. First all doomed objects are moved away at once, while nobody can claim one; then they are deleted.
 * Throws `LOCK_TIMEOUT`, `STORE_CORRUPT`, `IO`.
 */
export async function collectGarbage(
  store: Store,
  { keep }: CollectOptions,
): Promise<Collected> {
  if (store.part("objects") === undefined) {
    return { removed: 0, kept: 0, bytes: 0 };
  }
  const aside = await store.tempPath();
  makeDir(aside);
  const { removed, kept } = await store.alone(async () => {
    sweep(store.root);
    // In this order: whoever lets go of a tree has written its lock before.
    const needed = store.claimed();
    for (const hash of await keep()) needed.add(hash);
    return moveAside(store, aside, needed);
  });
  let bytes = measure(aside);
  removeTree(aside);
  bytes += clear(store, "quarantine");
  for (const hash of kept) bytes += await tidy(store, hash);
  return { removed, kept: kept.length, bytes };
}

function moveAside(
  store: Store,
  aside: AbsPath,
  needed: ReadonlySet<TreeHash>,
): { removed: number; kept: TreeHash[] } {
  const { hashes } = listObjects(store);
  const doomed = hashes.filter((hash) => !needed.has(hash));
  for (const hash of doomed) rename(store.objectDir(hash), join(aside, hash));
  return {
    removed: doomed.length,
    kept: hashes.filter((hash) => needed.has(hash)),
  };
}

function clear(store: Store, part: string): number {
  const dir = store.part(part);
  if (dir === undefined) return 0;
  const bytes = measure(dir);
  for (const name of namesIn(dir)) removeTree(join(dir, name));
  return bytes;
}

/** Removes records of trees that are gone, and the linked copy when nothing links to it. */
async function tidy(store: Store, hash: TreeHash): Promise<number> {
  const dir = store.objectDir(hash);
  const [pool, links] = [poolDir(dir), join(dir, "links")];
  if (markOf(links) !== undefined) {
    for (const name of namesIn(links)) {
      if (isOfNoUse(join(links, name))) removeFile(join(links, name));
    }
  }
  if (markOf(pool) === undefined || isLinked(pool)) return 0;
  const object = readIntact(store, hash);
  if (object === undefined) return 0;
  return await lockObject(store, object, async () => {
    // Meanwhile somebody may have linked it.
    if (markOf(pool) === undefined || isLinked(pool)) return 0;
    const bytes = measure(pool);
    await dropPool(store, object);
    return bytes;
  });
}

function isOfNoUse(path: AbsPath): boolean {
  const target = readRecord(path)?.facts["target"];
  return typeof target !== "string" || markOf(target) === undefined;
}

function isLinked(pool: AbsPath): boolean {
  return namesIn(pool).some((name) => {
    const mark = markOf(join(pool, name));
    return mark !== undefined && mark.links > 1;
  });
}

/** A damaged object is left to the verification. */
function readIntact(store: Store, hash: TreeHash): StoredObject | undefined {
  try {
    return readObject(store, hash);
  } catch (error) {
    const isDamaged = error instanceof AppError &&
      error.code === "STORE_CORRUPT";
    if (!isDamaged) throw error;
    return undefined;
  }
}
