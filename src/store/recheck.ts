/** The second half of a check: for trees of which something looks different. */
import { type AbsPath, join } from "../base/paths.ts";
import { ensureDir } from "../os/fs.ts";
import { withLock } from "../os/lock.ts";
import { type Mark, markOf } from "../os/marks.ts";
import type { Difference, Placement } from "./entries.ts";
import { examine } from "./examine.ts";
import { hashPlaced } from "./find_placed.ts";
import type { Marks } from "./marks.ts";
import type { StoredObject } from "./objects.ts";
import {
  findChanged,
  placedRecord,
  placedRecordPath,
  readPlaced,
} from "./placed.ts";
import { poolRecordPath } from "./pool.ts";
import { writeRecord } from "./records.ts";
import type { Store } from "./store.ts";

/** An object and a place where its tree stands. */
export interface Placed {
  readonly object: StoredObject;
  readonly target: AbsPath;
}

/** Compares by contents what looks different, and remembers how what is right looks now. */
export async function recheck(
  store: Store,
  placed: Placed,
): Promise<Difference[]> {
  const { object, target } = placed;
  return await lockObject(store, object, async () => {
    // Another environment may have been linked meanwhile, which changes how files look here.
    const suspects = findChanged(object, target);
    if (suspects.length === 0) return [];
    const { entries } = object;
    const found = await examine(store, { root: target, entries, suspects });
    if (found.marks.size > 0) await remember(store, placed, found.marks);
    return found.differences;
  });
}

/** Runs `work` while nobody links the object's files; on a read-only file system nobody does. */
export async function lockObject<T>(
  store: Store,
  object: StoredObject,
  work: () => Promise<T>,
): Promise<T> {
  if (!await store.isWritable()) return await work();
  return await withLock(store.lockOf(object.hash), work);
}

/** Keeps these marks: those of linked files with the pool, since every environment sees the same. */
async function remember(
  store: Store,
  { object, target }: Placed,
  marks: ReadonlyMap<number, Mark>,
): Promise<void> {
  const { marks: own, pool } = readPlaced(object, target);
  let isPoolChanged = false;
  for (const [index, mark] of marks) {
    const isPooled = pool.marks.isInode(index, mark);
    (isPooled ? pool.marks : own).set(index, mark);
    isPoolChanged ||= isPooled;
  }
  if (isPoolChanged) {
    const { numbers } = pool.marks;
    writeRecord(
      poolRecordPath(object.dir),
      { numbers },
      await store.tempPath(),
    );
  }
  await writePlaced(store, { object, target }, { marks: own });
}

/** Writes the record of a placed tree; `standsAt` is where it is about to be moved. */
export async function writePlaced(
  store: Store,
  { object, target }: Placed,
  { marks, standsAt }: {
    readonly marks: Marks;
    readonly standsAt?: AbsPath | undefined;
  },
): Promise<void> {
  const root = markOf(target);
  if (root === undefined) return;
  ensureDir(join(object.dir, "links"));
  const path = placedRecordPath(object.dir, root);
  const record = placedRecord(object.entries, marks, standsAt ?? target);
  writeRecord(path, record, await store.tempPath());
}

/** Compares a placed tree with its name alone: when the store no longer has the object. */
export function compareUnknown({ hash, target }: Placement): Difference[] {
  if (markOf(target) === undefined) return [{ path: ".", change: "removed" }];
  return hashPlaced(target) === hash ? [] : [{ path: ".", change: "changed" }];
}
