/** Removing a placed tree. */
import type { AbsPath } from "../base/paths.ts";
import { removeTree } from "../os/fs.ts";
import { markOf } from "../os/marks.ts";
import type { Placement } from "./entries.ts";
import {
  entryAt,
  fileNumbers,
  readObject,
  type StoredObject,
} from "./objects.ts";
import { Pool } from "./pool.ts";
import { isPoolUnchanged, writeSpan } from "./pool_care.ts";
import { lockObject } from "./recheck.ts";
import type { Store } from "./store.ts";

/**
 * Removes a placed tree. Any other way of removing it does as well: but files with a name less look changed in every other
 * environment that shares them, and are read once more there. Nothing when it is not there. Throws `IO`.
 */
export async function unlinkTree(
  store: Store,
  { hash, target }: Placement,
): Promise<void> {
  if (markOf(target) === undefined) return;
  const object = readObject(store, hash);
  if (object === undefined) removeTree(target);
  else await discardTree(store, object, target);
}

/** Removes a tree of this object, wherever it is by now. */
export async function discardTree(
  store: Store,
  object: StoredObject,
  path: AbsPath,
): Promise<void> {
  await lockObject(store, object, async () => {
    const pool = Pool.read(object.dir, object.entries.length);
    if (!isShared(pool, object, path) || !isPoolUnchanged(pool, object)) {
      removeTree(path);
      return;
    }
    const from = await store.now();
    removeTree(path);
    await writeSpan(store, object, from);
  });
}

/** By its first file: if others are not, the next one who looks will read them. */
function isShared(pool: Pool, object: StoredObject, path: AbsPath): boolean {
  const first = fileNumbers(object)[0];
  if (first === undefined) return false;
  const mark = markOf(`${path}/${entryAt(object.entries, first).path}`);
  return mark !== undefined && pool.marks.isInode(first, mark);
}
