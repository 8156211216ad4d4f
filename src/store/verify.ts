/** Looking at everything in a store by contents. */
import { AppError } from "../base/errors.ts";
import { removeTree } from "../os/fs.ts";
import type { TreeHash } from "./entries.ts";
import { examine } from "./examine.ts";
import { markOf } from "../os/marks.ts";
import { listObjects } from "./inventory.ts";
import { quarantine, readObject, type StoredObject } from "./objects.ts";
import { describe } from "./open_object.ts";
import { dropPool, isPoolRight } from "./pool_care.ts";
import { lockObject } from "./recheck.ts";
import type { Store } from "./store.ts";
import { hashEntries } from "./tree_hash.ts";

/** What a verification found. */
export interface Verified {
  /** Objects looked at. */
  readonly objects: number;
  /** Bytes of the files in those that are right. */
  readonly bytes: number;
  /** Objects that are not what their names say. */
  readonly corrupt: readonly CorruptObject[];
  /** Objects whose linked copies were written through an environment. The objects themselves are right. */
  readonly written: readonly TreeHash[];
  /** Paths that belong to no object. */
  readonly strays: readonly string[];
}

/** A damaged object. */
export interface CorruptObject {
  readonly hash: TreeHash;
  /** What is wrong, in a few words. */
  readonly state: string;
}

/** How to verify. */
export interface VerifyOptions {
  /** Puts damaged objects aside (they are fetched again when they are needed), drops linked copies that were written, and removes strays. */
  readonly repair: boolean;
}

/** Reads all files of all objects. Throws `STORE_CORRUPT` when the store's own directories are something else, `IO`. */
export async function verifyStore(
  store: Store,
  { repair }: VerifyOptions,
): Promise<Verified> {
  const { hashes, strays } = listObjects(store);
  const corrupt: CorruptObject[] = [];
  const written: TreeHash[] = [];
  let [objects, bytes] = [0, 0];
  for (const hash of hashes) {
    const found = await lookAtWhole(store, hash);
    if (found === undefined) continue;
    objects++;
    if (typeof found === "string") {
      corrupt.push({ hash, state: found });
      if (repair) quarantine(store, hash);
    } else {
      bytes += bytesOf(found);
      if (!await isPoolGood(store, found, repair)) written.push(hash);
    }
  }
  if (repair) {
    const still = new Set(listObjects(store).strays);
    for (const path of strays) if (still.has(path)) removeTree(path);
  }
  return { objects, bytes, corrupt, written, strays };
}

/** As {@link look}; undefined when it has been collected meanwhile. */
async function lookAtWhole(
  store: Store,
  hash: TreeHash,
): Promise<StoredObject | string | undefined> {
  const mark = () => {
    const { ino, ctime } = markOf(store.objectDir(hash)) ?? {};
    return ino === undefined ? undefined : `${ino} ${ctime}`;
  };
  while (true) {
    const before = mark();
    if (before === undefined) return undefined;
    const found = await lookOrError(store, hash);
    const isSettled = !(typeof found === "string" || found instanceof AppError);
    if (isSettled || mark() === before) {
      if (found instanceof AppError) throw found;
      return found;
    }
    // Collected, and perhaps put there anew: what was seen belongs to both.
  }
}

async function lookOrError(
  store: Store,
  hash: TreeHash,
): Promise<StoredObject | string | AppError> {
  try {
    return await look(store, hash);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
    return error;
  }
}

/** The object, or what is wrong with it. */
async function look(
  store: Store,
  hash: TreeHash,
): Promise<StoredObject | string> {
  const object = readOrState(store, hash);
  if (typeof object === "string") return object;
  if (hashEntries(object.entries) !== hash) {
    return "its seal belongs to another tree";
  }
  const { tree: root, entries } = object;
  const suspects = [0, ...entries.map((_, i) => i + 1)];
  const { differences } = await examine(store, { root, entries, suspects });
  return differences.length === 0 ? object : describe(differences);
}

function readOrState(store: Store, hash: TreeHash): StoredObject | string {
  try {
    return readObject(store, hash) ?? "it has no seal";
  } catch (error) {
    const isDamaged = error instanceof AppError &&
      error.code === "STORE_CORRUPT";
    if (!isDamaged) throw error;
    return "its seal is damaged";
  }
}

async function isPoolGood(
  store: Store,
  object: StoredObject,
  repair: boolean,
): Promise<boolean> {
  return await lockObject(store, object, async () => {
    const isGood = await isPoolRight(store, object);
    if (!isGood && repair) await dropPool(store, object);
    return isGood;
  });
}

function bytesOf({ entries }: StoredObject): number {
  return entries.reduce(
    (sum, entry) => sum + (entry.kind === "file" ? entry.size : 0),
    0,
  );
}
