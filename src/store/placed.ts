/** Trees that were placed from the store: how they looked when they were right. */
import { type AbsPath, join } from "../base/paths.ts";
import { type Mark, markOf } from "../os/marks.ts";
import { Marks, readMarks } from "./marks.ts";
import { entryAt, findSuspects, type StoredObject } from "./objects.ts";
import { Pool } from "./pool.ts";

/** What is recorded of one placed tree. */
export interface PlacedTree {
  readonly marks: Marks;
  /** Read on first use: a tree of copies does not need it. */
  readonly pool: () => Pool;
}

/** Path of the record of a placed tree: by the inode of its root, so that it stays valid when the environment moves. */
export function placedRecordPath(object: StoredObject, root: Mark): AbsPath {
  return join(object.dir, "links", `${root.ino}.json`);
}

/** The record of the tree at `target`; an empty one when there is none. */
export function readPlaced(object: StoredObject, target: AbsPath): PlacedTree {
  const root = markOf(target);
  const marks = root && readMarks(placedRecordPath(object, root));
  let pool: Pool | undefined;
  return {
    marks: marks ?? new Marks(),
    pool: () => pool ??= Pool.read(object),
  };
}

/** Numbers of the entries at `target` that do not look as recorded. */
export function findChanged(object: StoredObject, target: AbsPath): number[] {
  const placed = readPlaced(object, target);
  return findSuspects(
    target,
    object.entries,
    (index, mark) =>
      placed.marks.isSame(index, mark) ||
      (entryAt(object.entries, index).kind === "file" &&
        placed.pool().isSame(index, mark)),
  );
}
