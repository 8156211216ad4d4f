/** Trees that were placed from the store: how they looked when they were right. */
import { type AbsPath, join } from "../base/paths.ts";
import { type Mark, markOf, OpenDirectory, pathList } from "../os/marks.ts";
import type { TreeEntry } from "./entries.ts";
import { Marks, WIDTH } from "./marks.ts";
import { findSuspects, type StoredObject } from "./objects.ts";
import { Pool } from "./pool.ts";
import { readRecord, type StoredRecord } from "./records.ts";

/** What is recorded of one placed tree. Files that are linked have no marks here, but with their pool. */
export interface PlacedTree {
  readonly marks: Marks;
  readonly pool: Pool;
}

/** Path of the record of a placed tree: by the inode of its root, so that it stays valid when the environment moves. */
export function placedRecordPath(dir: AbsPath, root: Mark): AbsPath {
  return join(dir, "links", String(root.ino));
}

/** What is recorded. `target` is for collections: they remove records of what is gone. */
export function placedRecord(
  entries: readonly TreeEntry[],
  marks: Marks,
  target: AbsPath,
): StoredRecord {
  return {
    facts: { target },
    numbers: marks.numbers,
    bytes: pathList(entries.map(({ path }) => path)),
  };
}

/** The records of the tree at `target`. */
export function readPlaced(object: StoredObject, target: AbsPath): PlacedTree {
  const { dir, entries: { length } } = object;
  const root = markOf(target);
  const marks = root === undefined
    ? Marks.none(length)
    : Marks.read(placedRecordPath(dir, root), length);
  return { marks, pool: Pool.read(dir, length) };
}

/** Numbers of the entries at `target` that do not look as recorded. */
export function findChanged(object: StoredObject, target: AbsPath): number[] {
  const { marks, pool } = readPlaced(object, target);
  return findSuspects(
    target,
    object.entries,
    (index, mark) => marks.isSame(index, mark) || pool.isSame(index, mark),
  );
}

/**
 * Whether everything at `target` looks as recorded: what {@link findChanged} would find out, by records alone. `dir` is
 * that of the object.
 */
export function isAsRecorded(dir: AbsPath, target: AbsPath): boolean {
  const root = markOf(target);
  if (root?.kind !== "directory") return false;
  const record = readRecord(placedRecordPath(dir, root));
  if (record === undefined) return false;
  const marks = new Marks(record.numbers);
  if (!marks.isSame(0, root)) return false;
  const pool = Pool.read(dir, marks.entries);
  using directory = new OpenDirectory(target);
  // The root, number 0, is no entry.
  const own = { numbers: marks.numbers.subarray(WIDTH) };
  const shared = { ...pool, numbers: pool.numbers.subarray(WIDTH) };
  const seen = directory.countAlike(record.bytes, [own, shared]);
  return seen === marks.entries;
}
