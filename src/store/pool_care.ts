/** Making a pool, and proving it before it is linked. */
import { join } from "../base/paths.ts";
import { makeDir, removeTree, rename } from "../os/fs.ts";
import { hashFile } from "../os/file_hash.ts";
import { type Mark, markOf, OpenDirectory, pathList } from "../os/marks.ts";
import { modeOf, type TreeEntry } from "./entries.ts";
import { Marks, WIDTH } from "./marks.ts";
import { entryAt, fileNumbers, type StoredObject } from "./objects.ts";
import { copyObjectFile } from "./object_files.ts";
import { Pool, poolDir, poolRecordPath, spanPath } from "./pool.ts";
import { writeRecord } from "./records.ts";
import type { Store } from "./store.ts";

/** A pool whose files are known to be right: the one that is there, or a new one. While the object is locked. */
export async function preparePool(
  store: Store,
  object: StoredObject,
): Promise<Pool> {
  const pool = Pool.read(object.dir, object.entries.length);
  if (markOf(pool.dir)?.kind !== "directory") {
    return await renewPool(store, object);
  }
  const suspects = findSuspects(pool, fileNumbers(object));
  if (suspects.length === 0) return pool;
  const isRight = await recheckPool(store, object, { pool, suspects });
  return isRight ? pool : await renewPool(store, object);
}

/** Whether the contents of all files of a pool are right; true when there is none. While the object is locked. */
export async function isPoolRight(
  store: Store,
  object: StoredObject,
): Promise<boolean> {
  const pool = Pool.read(object.dir, object.entries.length);
  const kind = markOf(pool.dir)?.kind;
  if (kind !== "directory") return kind === undefined;
  return await recheckPool(store, object, {
    pool,
    suspects: fileNumbers(object),
  });
}

/** The files that do not look as recorded: of most pools none, which is found out without a look at each by itself. */
function findSuspects(pool: Pool, files: readonly number[]): number[] {
  using directory = new OpenDirectory(pool.dir);
  const numbers = new Float64Array(files.length * WIDTH);
  for (let i = 0; i < files.length; i++) {
    const at = files[i]! * WIDTH;
    numbers.set(pool.numbers.subarray(at, at + WIDTH), i * WIDTH);
  }
  const looks = { ...pool, numbers };
  const seen = directory.countAlike(pathList(files), [looks]);
  return files.slice(seen).filter((index) => {
    const mark = directory.markOf(String(index));
    return mark === undefined || !pool.isSame(index, mark);
  });
}

/** Whether these files have the right contents; if so, how they look now is recorded. */
async function recheckPool(
  store: Store,
  object: StoredObject,
  { pool, suspects }: {
    readonly pool: Pool;
    readonly suspects: readonly number[];
  },
): Promise<boolean> {
  const canRemember = await store.settle(latestChange(pool, suspects));
  for (const index of suspects) {
    const path = pool.fileAt(index);
    const mark = markOf(path);
    const entry = entryAt(object.entries, index);
    if (mark === undefined || !hasContents(path, entry, mark)) return false;
    pool.marks.set(index, mark);
  }
  if (canRemember) await writePoolRecord(store, object, pool.marks);
  return true;
}

function latestChange(pool: Pool, files: readonly number[]): number {
  return files.reduce(
    (time, index) => Math.max(time, markOf(pool.fileAt(index))?.ctime ?? 0),
    0,
  );
}

function hasContents(path: string, entry: TreeEntry, mark: Mark): boolean {
  return entry.kind === "file" && mark.kind === "file" &&
    mark.size === entry.size &&
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
    for (const [i, entry] of object.entries.entries()) {
      if (entry.kind !== "file") continue;
      copyObjectFile(store, object, { entry, to: join(temp, `${i + 1}`) });
    }
    await dropPool(store, object);
    rename(temp, poolDir(object.dir));
  } finally {
    removeTree(temp);
  }
  const marks = Marks.none(object.entries.length);
  await store.settle(await store.now());
  for (const index of fileNumbers(object)) {
    const mark = markOf(join(poolDir(object.dir), `${index}`));
    if (mark !== undefined) marks.set(index, mark);
  }
  await writePoolRecord(store, object, marks);
  return Pool.read(object.dir, object.entries.length);
}

/** Remembers that since `from` (see {@link Store.now}) all files of the pool have got or lost a name. While the object is locked. */
export async function writeSpan(
  store: Store,
  object: StoredObject,
  from: number,
): Promise<void> {
  const numbers = Float64Array.of(from, await store.now());
  writeRecord(spanPath(object.dir), { numbers }, await store.tempPath());
}

/** Whether all files of a pool look as recorded. */
export function isPoolUnchanged(pool: Pool, object: StoredObject): boolean {
  return markOf(pool.dir)?.kind === "directory" &&
    findSuspects(pool, fileNumbers(object)).length === 0;
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
  writeRecord(path, { numbers: marks.numbers }, await store.tempPath());
}
