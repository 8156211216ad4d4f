/** Objects that are about to be used: proved first, and put aside when they are not what they should be. */
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import { type Mark, markOf } from "../os/marks.ts";
import type { Difference, TreeHash } from "./entries.ts";
import { examine } from "./examine.ts";
import { Marks } from "./marks.ts";
import {
  corrupt,
  findSuspects,
  missing,
  quarantine,
  readObject,
  sealPath,
  type StoredObject,
  treeRecordPath,
} from "./objects.ts";
import { readRecord, type StoredRecord, writeRecord } from "./records.ts";
import type { Store } from "./store.ts";
import { hashEntries } from "./tree_hash.ts";

/**
 * The object, its seal proved by its name, or known to be the one that was written with it; its tree is not looked at.
 * Throws `STORE_MISSING`, `STORE_CORRUPT`.
 */
export function openObject(store: Store, hash: TreeHash): StoredObject {
  let object: StoredObject | undefined;
  try {
    object = readObject(store, hash);
  } catch (error) {
    const isDamaged = error instanceof AppError &&
      error.code === "STORE_CORRUPT";
    if (isDamaged) putAside(store, hash);
    throw error;
  }
  if (object === undefined) throw missing(hash);
  const seal = markOf(sealPath(object.dir));
  const facts = readRecord(treeRecordPath(object.dir))?.facts;
  const isKnown = seal !== undefined && isSameSeal(facts, seal);
  if (!isKnown && hashEntries(object.entries) !== hash) {
    throw condemn(store, hash, "its seal belongs to another tree");
  }
  return object;
}

/** Looks whether an object's tree is what its seal says: at times first, at contents where those differ. Throws `STORE_CORRUPT`. */
export async function proveTree(
  store: Store,
  object: StoredObject,
): Promise<void> {
  const { entries, tree: root } = object;
  const path = treeRecordPath(object.dir);
  const facts = readRecord(path)?.facts;
  const marks = Marks.read(path, entries.length);
  const suspects = findSuspects(
    root,
    entries,
    (i, mark) => marks.isSame(i, mark),
  );
  if (suspects.length === 0) return;
  const found = await examine(store, { root, entries, suspects });
  if (found.differences.length > 0) {
    throw condemn(store, object.hash, describe(found.differences));
  }
  for (const [index, mark] of found.marks) marks.set(index, mark);
  if (found.marks.size === 0) return;
  const record = { ...(facts ? { facts } : {}), numbers: marks.numbers };
  writeRecord(path, record, await store.tempPath());
}

/** What is kept of how a seal looks. */
export function sealFacts(
  { ino, mtime, ctime }: Mark,
): StoredRecord["facts"] {
  return { seal: [ino, mtime, ctime] };
}

function isSameSeal(facts: object | undefined, seal: Mark): boolean {
  const known = JSON.stringify(facts ?? {});
  return seal.ctime !== 0 && known === JSON.stringify(sealFacts(seal));
}

/** What is wrong, in a few words. */
export function describe(differences: readonly Difference[]): string {
  const [first, ...rest] = differences;
  const more = rest.length > 0 ? ` and ${rest.length} more` : "";
  return `${quote(first?.path ?? "")} is ${
    first?.change === "mode" ? "of another mode" : first?.change
  }${more}`;
}

/** Puts an object aside and returns the error that says why. */
export function condemn(
  store: Store,
  hash: TreeHash,
  state: string,
): AppError {
  putAside(store, hash);
  return corrupt(hash, state);
}

/** On a read-only file system it stays; it is not used all the same. */
function putAside(store: Store, hash: TreeHash): void {
  try {
    quarantine(store, hash);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
  }
}
