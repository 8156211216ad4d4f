/** Objects: a tree, and beside it the seal that says what it holds. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { readText, rename, tempName } from "../os/fs.ts";
import { isDenied } from "../os/io_error.ts";
import { type Mark, markOf, OpenDirectory } from "../os/marks.ts";
import type { TreeEntry, TreeHash } from "./entries.ts";
import { Marks, readMarks } from "./marks.ts";
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

type SealedEntry =
  | readonly ["d", string]
  | readonly ["f" | "x", string, number, string]
  | readonly ["l", string, string];

/** Path of an object's seal. */
export function sealPath(dir: AbsPath): AbsPath {
  return join(dir, "seal.json");
}

/** Path of the record of how an object's tree looked when it was known to be right. */
export function treeRecordPath(dir: AbsPath): AbsPath {
  return join(dir, "tree.json");
}

/** Text of the seal of a tree with these entries. */
export function formatSeal(entries: readonly TreeEntry[]): string {
  const rows = entries.map((entry): SealedEntry => {
    if (entry.kind === "directory") return ["d", entry.path];
    if (entry.kind === "symlink") return ["l", entry.path, entry.target];
    const { path, size, sha256, executable } = entry;
    return [executable ? "x" : "f", path, size, sha256];
  });
  return JSON.stringify({ version: SEAL_VERSION, entries: rows });
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
    if (typeof seal !== "object" || seal === null) return undefined;
    const { version, entries } = seal as {
      version?: unknown;
      entries?: unknown;
    };
    if (version !== SEAL_VERSION || !Array.isArray(entries)) return undefined;
    const parsed = entries.map(parseRow);
    return parsed.every((entry) => entry !== undefined) ? parsed : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** What it says is checked against the object's name where it matters; here only its form. */
function parseRow(row: unknown): TreeEntry | undefined {
  if (!Array.isArray(row) || typeof row[1] !== "string") return undefined;
  const [kind, path, a, b] = row as unknown[] as [
    unknown,
    string,
    unknown,
    unknown,
  ];
  if (kind === "d") return { kind: "directory", path };
  if (kind === "l" && typeof a === "string") {
    return { kind: "symlink", path, target: a };
  }
  const isFile = (kind === "f" || kind === "x") && typeof a === "number" &&
    typeof b === "string";
  if (!isFile) return undefined;
  return { kind: "file", path, size: a, sha256: b, executable: kind === "x" };
}

/** The entry with this number: 0 is the root. */
export function entryAt(
  entries: readonly TreeEntry[],
  index: number,
): TreeEntry {
  return index === 0 ? { kind: "directory", path: "" } : entries[index - 1]!;
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

/** The record of an object's tree; an empty one when there is none. */
export function readTreeMarks(object: StoredObject): Marks {
  return readMarks(treeRecordPath(object.dir)) ?? new Marks();
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
