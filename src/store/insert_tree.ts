/** Putting a tree into the store. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { lstat, makeDir, removeTree, rename, writeNew } from "../os/fs.ts";
import { syncFileSystem } from "../os/links.ts";
import { markOf } from "../os/marks.ts";
import type { TreeEntry, TreeHash } from "./entries.ts";
import { closeDirectories, markAll } from "./finish.ts";
import { formatSeal, quarantine, sealPath, treeRecordPath } from "./objects.ts";
import { openObject, proveTree, sealFacts } from "./open_object.ts";
import { encodeRecord } from "./records.ts";
import { type ScanOptions, scanTree } from "./scan.ts";
import type { Store } from "./store.ts";
import { hashEntries } from "./tree_hash.ts";

/** How to insert a tree. */
export interface InsertOptions extends ScanOptions {
  /** What it must hash to. */
  readonly expected?: TreeHash;
  /** What the tree is called in errors; its path unless given. */
  readonly what?: string;
}

/** What was inserted. */
export interface Inserted {
  readonly hash: TreeHash;
  /** False when the store had it. */
  readonly isNew: boolean;
  /** Files, directories and links. */
  readonly entries: number;
  /** Bytes of all files. */
  readonly bytes: number;
}

/**
 * Copies the tree at `source` into the store; hashed is what is copied. It appears there whole, on the disk and read-only,
 * or not at all. An object of that name that is damaged is put aside and replaced.
 * Throws `CONTENT_INVALID`, `HASH_MISMATCH` (nothing is left), `IO`.
 */
export async function insertTree(
  store: Store,
  source: AbsPath,
  options: InsertOptions = {},
): Promise<Inserted> {
  const temp = await store.tempPath();
  try {
    makeDir(temp);
    makeDir(join(temp, "tree"));
    const copyTo = join(temp, "tree");
    const entries = scanTree(source, { ...options, copyTo });
    const hash = hashEntries(entries);
    checkExpected(hash, options.expected, options.what ?? source);
    await seal(store, temp, entries);
    const isNew = await store.claim(hash, () => moveIn(store, hash, temp));
    const bytes = entries.reduce(
      (sum, entry) => sum + (entry.kind === "file" ? entry.size : 0),
      0,
    );
    return { hash, isNew, entries: entries.length, bytes };
  } finally {
    removeTree(temp);
  }
}

function checkExpected(
  hash: TreeHash,
  expected: TreeHash | undefined,
  what: string,
): void {
  if (expected === undefined || expected === hash) return;
  throw new AppError(
    "HASH_MISMATCH",
    `Cannot take the files of ${
      quote(what)
    }: their hash is sha256-${hash}, expected is sha256-${expected}`,
    { hint: "If the new contents are wanted: aenv update" },
  );
}

/** Makes the directories read-only, writes the seal, and waits until all is on the disk. */
async function seal(
  store: Store,
  dir: AbsPath,
  entries: readonly TreeEntry[],
): Promise<void> {
  const tree = join(dir, "tree");
  closeDirectories(tree, entries);
  writeNew(sealPath(dir), formatSeal(entries));
  syncFileSystem(dir);
  if (!await store.settle(await store.now())) return;
  const { numbers } = markAll(tree, entries);
  const facts = sealFacts(markOf(sealPath(dir))!);
  writeNew(treeRecordPath(dir), encodeRecord({ facts, numbers }));
}

/** Moves a finished object to its place. False when a good one is there. */
async function moveIn(
  store: Store,
  hash: TreeHash,
  temp: AbsPath,
): Promise<boolean> {
  store.makePart("objects", hash.slice(0, 2));
  const dir = store.objectDir(hash);
  while (true) {
    if (lstat(dir) === undefined) {
      try {
        rename(temp, dir);
        return true;
      } catch (error) {
        // Another process was faster.
        if (lstat(dir) === undefined) throw error;
      }
    }
    if (await isGood(store, hash)) return false;
  }
}

/** Whether the object that is there can be used. One that cannot has been put aside. */
async function isGood(store: Store, hash: TreeHash): Promise<boolean> {
  try {
    await proveTree(store, await openObject(store, hash));
    return true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === "STORE_MISSING") quarantine(store, hash);
    else if (error.code !== "STORE_CORRUPT") throw error;
    // Put aside, or a link was planted in its way: then putting ours there will say so.
    return false;
  }
}
