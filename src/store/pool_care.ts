/** Making a pool, and proving it before it is linked. */
import { join } from "../base/paths.ts";
import { makeDir, removeTree, rename } from "../os/fs.ts";
import { hashFile } from "../os/file_hash.ts";
import { type Mark, markOf, OpenDirectory } from "../os/marks.ts";
import { type FileEntry, modeOf } from "./entries.ts";
import { Marks, writeRecord } from "./marks.ts";
import type { StoredObject } from "./objects.ts";
import { copyObjectFile } from "./object_files.ts";
import { Pool, poolDir, poolRecordPath } from "./pool.ts";
import type { Store } from "./store.ts";

/** A pool whose files are known to be right: the one that is there, or a new one. While the object is locked. */
export async function preparePool(
  store: Store,
  object: StoredObject,
): Promise<Pool> {
  const pool = Pool.read(object);
  if (markOf(pool.dir)?.kind !== "directory") {
    return await renewPool(store, object);
  }
  using directory = new OpenDirectory(pool.dir);
  const suspects = filesOf(object).filter(([index]) => {
    const mark = directory.markOf(`${index}`);
    return mark === undefined || !pool.isSame(index, mark);
  });
  if (suspects.length === 0) return pool;
  const isRight = await recheckPool(store, object, { pool, suspects });
  return isRight ? pool : await renewPool(store, object);
}

/** Whether the contents of all files of a pool are right; true when there is none. While the object is locked. */
export async function isPoolRight(
  store: Store,
  object: StoredObject,
): Promise<boolean> {
  const pool = Pool.read(object);
  const kind = markOf(pool.dir)?.kind;
  if (kind !== "directory") return kind === undefined;
  return await recheckPool(store, object, { pool, suspects: filesOf(object) });
}

type NumberedFile = readonly [index: number, entry: FileEntry];

function filesOf(object: StoredObject): NumberedFile[] {
  return object.entries.flatMap((entry, i): NumberedFile[] =>
    entry.kind === "file" ? [[i + 1, entry]] : []
  );
}

/** Whether these files have the right contents; if so, how they look now is recorded. */
async function recheckPool(
  store: Store,
  object: StoredObject,
  { pool, suspects }: {
    readonly pool: Pool;
    readonly suspects: readonly NumberedFile[];
  },
): Promise<boolean> {
  const canRemember = await store.settle(latestChange(pool, suspects));
  for (const [index, entry] of suspects) {
    const path = pool.fileAt(index);
    const mark = markOf(path);
    if (mark === undefined || !hasContents(path, entry, mark)) return false;
    pool.marks.set(index, mark);
  }
  if (canRemember) await writePoolRecord(store, object, pool.marks);
  return true;
}

function latestChange(pool: Pool, files: readonly NumberedFile[]): number {
  return files.reduce(
    (time, [index]) => Math.max(time, markOf(pool.fileAt(index))?.ctime ?? 0),
    0,
  );
}

function hasContents(path: string, entry: FileEntry, mark: Mark): boolean {
  return mark.kind === "file" && mark.size === entry.size &&
    mark.mode === modeOf(entry) && hashFile(path, mark) === entry.sha256;
}

/** Puts a new copy of the object's files in place of the pool. Links to the old one stay as they are. Throws `STORE_CORRUPT`. */
export async function renewPool(
  store: Store,
  object: StoredObject,
): Promise<Pool> {
  const temp = await store.tempPath();
  try {
    makeDir(temp);
    for (const [index, entry] of filesOf(object)) {
      copyObjectFile(store, object, { entry, to: join(temp, `${index}`) });
    }
    await dropPool(store, object);
    rename(temp, poolDir(object.dir));
  } finally {
    removeTree(temp);
  }
  const marks = new Marks();
  await store.settle(await store.now());
  for (const [index] of filesOf(object)) {
    const mark = markOf(join(poolDir(object.dir), `${index}`));
    if (mark !== undefined) marks.set(index, mark);
  }
  await writePoolRecord(store, object, marks);
  return Pool.read(object);
}

/** Removes a pool. Links to its files stay as they are. */
export async function dropPool(
  store: Store,
  object: StoredObject,
): Promise<void> {
  const dir = poolDir(object.dir);
  if (markOf(dir) === undefined) return;
  const aside = await store.tempPath();
  rename(dir, aside);
  removeTree(aside);
}

async function writePoolRecord(
  store: Store,
  object: StoredObject,
  marks: Marks,
): Promise<void> {
  const path = poolRecordPath(object.dir);
  writeRecord(path, { marks }, await store.tempPath());
}
