/** Objects: a tree, and beside it the seal that says what it holds. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { readText, rename, tempName } from "../os/fs.ts";
import { isDenied } from "../os/io_error.ts";
import { type Mark, markOf, OpenDirectory } from "../os/marks.ts";
import { kindLetter, type TreeEntry, type TreeHash } from "./entries.ts";
import type { Store } from "./store.ts";

/** An object as its seal describes it. */
export interface StoredObject {
  readonly hash: TreeHash;
  readonly dir: AbsPath;
  /** Its tree. */
  readonly tree: AbsPath;
  /** In order of their paths' bytes. */
  readonly entries: readonly TreeEntry[];
}

const SEAL_VERSION = 1;
/** A seal of 1,000,000 entries. */
const MAX_SEAL_BYTES = 1 << 28;

/** A seal by columns: a row for each entry would cost more to read than all else. */
interface Seal {
  readonly version: typeof SEAL_VERSION;
  /** One letter for each entry. */
  readonly kinds: string;
  readonly paths: readonly string[];
  /** For a file its size, for a link its target, else 0. */
  readonly values: readonly (number | string)[];
  /** SHA-256 of each file, one behind the other. */
  readonly hashes: string;
}

const HASH_DIGITS = 64;

/** Path of an object's seal. */
export function sealPath(dir: AbsPath): AbsPath {
  return join(dir, "seal.json");
}

/** Path of the record of how an object's tree looked when it was known to be right. */
export function treeRecordPath(dir: AbsPath): AbsPath {
  return join(dir, "tree.marks");
}

/** Text of the seal of a tree with these entries. */
export function formatSeal(entries: readonly TreeEntry[]): string {
  const seal: Seal = {
    version: SEAL_VERSION,
    kinds: entries.map(kindLetter).join(""),
    paths: entries.map(({ path }) => path),
    values: entries.map((entry) => {
      if (entry.kind === "directory") return 0;
      return entry.kind === "file" ? entry.size : entry.target;
    }),
    hashes: entries.map((entry) => entry.kind === "file" ? entry.sha256 : "")
      .join(""),
  };
  return JSON.stringify(seal);
}

/** Reads an object's seal, without a proof that it is the right one. Undefined when there is no such object. Throws `STORE_CORRUPT`. */
export function readObject(
  store: Store,
  hash: TreeHash,
): StoredObject | undefined {
  const dir = store.part("objects", hash.slice(0, 2), hash);
  if (dir === undefined) return undefined;
  const text = readText(sealPath(dir), MAX_SEAL_BYTES);
  if (text === undefined) return undefined;
  const entries = parseSeal(text);
  if (entries === undefined) throw corrupt(hash, "its seal is damaged");
  return { hash, dir, tree: join(dir, "tree"), entries };
}

function parseSeal(text: string): TreeEntry[] | undefined {
  try {
    const seal: unknown = JSON.parse(text);
    return isSeal(seal) ? entriesOf(seal) : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** Its form only: what it says is checked against the object's name where it matters. */
function isSeal(value: unknown): value is Seal {
  if (typeof value !== "object" || value === null) return false;
  const seal = value as Partial<Record<keyof Seal, unknown>>;
  const { version, kinds, paths, values, hashes } = seal;
  return version === SEAL_VERSION && typeof hashes === "string" &&
    typeof kinds === "string" && Array.isArray(paths) &&
    Array.isArray(values) && paths.length === kinds.length &&
    values.length === kinds.length &&
    paths.every((path) => typeof path === "string");
}

/** Undefined when an entry is none. */
function entriesOf(seal: Seal): TreeEntry[] | undefined {
  let at = 0;
  const entries: TreeEntry[] = [];
  for (let i = 0; i < seal.paths.length; i++) {
    const path = seal.paths[i]!;
    const kind = seal.kinds[i];
    const value = seal.values[i];
    if (kind === "d") entries.push({ kind: "directory", path });
    else if (kind === "l" && typeof value === "string") {
      entries.push({ kind: "symlink", path, target: value });
    } else if ((kind === "f" || kind === "x") && typeof value === "number") {
      const sha256 = seal.hashes.slice(at, at += HASH_DIGITS);
      const executable = kind === "x";
      entries.push({ kind: "file", path, size: value, sha256, executable });
    } else return undefined;
  }
  return entries;
}

/** The entry with this number: 0 is the root. */
export function entryAt(
  entries: readonly TreeEntry[],
  index: number,
): TreeEntry {
  return index === 0 ? { kind: "directory", path: "" } : entries[index - 1]!;
}

/** Numbers of the entries that are files. */
export function fileNumbers({ entries }: StoredObject): number[] {
  const files: number[] = [];
  for (let i = 0; i < entries.length; i++) {
    if (entries[i]!.kind === "file") files.push(i + 1);
  }
  return files;
}

/** Where the entry with this number stands below `root`. */
export function pathAt(
  root: AbsPath,
  entries: readonly TreeEntry[],
  index: number,
): AbsPath {
  return index === 0 ? root : `${root}/${entries[index - 1]!.path}` as AbsPath;
}

/**
 * Numbers of the entries that are gone, look different, or cannot be looked at: 0 is the root, then the entries in their
 * order.
 */
export function findSuspects(
  root: AbsPath,
  entries: readonly TreeEntry[],
  isSame: (index: number, mark: Mark) => boolean,
): number[] {
  const all = () => [0, ...entries.map((_, i) => i + 1)];
  const mark = markOf(root);
  if (mark?.kind !== "directory") return all();
  try {
    using directory = new OpenDirectory(root);
    const found = isSame(0, mark) ? [] : [0];
    for (const [i, { path }] of entries.entries()) {
      const mark = directory.markOf(path);
      if (mark === undefined || !isSame(i + 1, mark)) found.push(i + 1);
    }
    return found;
  } catch (error) {
    if (!isDenied(error)) throw error;
    return all();
  }
}

/** Moves an object to where nobody uses it. Nothing when somebody else has done so. */
export function quarantine(store: Store, hash: TreeHash): void {
  const dir = store.part("objects", hash.slice(0, 2), hash);
  if (dir === undefined) return;
  const aside = store.makePart("quarantine");
  // As long as its contents matter to somebody they can be looked at; a collection removes them.
  const own = join(aside, `${hash}${tempName()}`);
  try {
    rename(dir, own);
  } catch (error) {
    if (markOf(dir) !== undefined) throw error;
  }
}

/** The error for an object whose contents are not what its name says. */
export function corrupt(hash: TreeHash, state: string): AppError {
  return new AppError(
    "STORE_CORRUPT",
    `Cannot use tree ${quote(hash)} of the store: ${state}`,
    { hint: "Fetch it again: aenv install" },
  );
}

/** The error for an object that is not there. */
export function missing(hash: TreeHash): AppError {
  return new AppError(
    "STORE_MISSING",
    `Cannot use tree ${quote(hash)}: it is not in the store`,
    { hint: "Fetch it: aenv install" },
  );
}
