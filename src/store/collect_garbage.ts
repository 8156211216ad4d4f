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
  /** Only says what would be removed. */
  readonly dryRun?: boolean;
}

/**
 * Removes every object that is neither to be kept nor in use by a living process, leftovers of dead processes, and what
 * was put aside. First all doomed objects are moved away at once, while nobody can claim one; then they are deleted.
 * Throws `LOCK_TIMEOUT`, `STORE_CORRUPT`, `IO`.
 */
export async function collectGarbage(
  store: Store,
  { keep, dryRun }: CollectOptions,
): Promise<Collected> {
  if (store.part("objects") === undefined) {
    return { removed: 0, kept: 0, bytes: 0 };
  }
  const aside = await store.tempPath();
  makeDir(aside);
  const { doomed, kept } = await store.alone(async () => {
    sweep(store.root);
    // In this order: whoever lets go of a tree has written its lock before.
    const needed = store.claimed();
    for (const hash of await keep()) needed.add(hash);
    const all = split(store, needed);
    if (!dryRun) moveAside(store, aside, all.doomed);
    return all;
  });
  const removed = doomed.length;
  if (dryRun) {
    const bytes = wouldFree(store, { doomed, kept });
    return { removed, kept: kept.length, bytes };
  }
  let bytes = measure(aside);
  removeTree(aside);
  bytes += clear(store, "quarantine");
  for (const hash of kept) bytes += await tidy(store, hash);
  return { removed, kept: kept.length, bytes };
}

interface Split {
  readonly doomed: readonly TreeHash[];
  readonly kept: readonly TreeHash[];
}

function split(store: Store, needed: ReadonlySet<TreeHash>): Split {
  const { hashes } = listObjects(store);
  return {
    doomed: hashes.filter((hash) => !needed.has(hash)),
    kept: hashes.filter((hash) => needed.has(hash)),
  };
}

function moveAside(
  store: Store,
  aside: AbsPath,
  doomed: readonly TreeHash[],
): void {
  for (const hash of doomed) rename(store.objectDir(hash), join(aside, hash));
}

function wouldFree(store: Store, { doomed, kept }: Split): number {
  const pools = kept.map((hash) => poolDir(store.objectDir(hash)))
    .filter((pool) => markOf(pool) !== undefined && !isLinked(pool));
  const aside = store.part("quarantine");
  return [
    ...doomed.map((hash) => store.objectDir(hash)),
    ...pools,
    ...(aside === undefined ? [] : [aside]),
  ].reduce((sum, path) => sum + measure(path), 0);
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
