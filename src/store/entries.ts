/** The words of this module: what a tree consists of, and what it is called. */
import { AppError } from "../base/errors.ts";
import type { AbsPath } from "../base/paths.ts";
import { quote } from "../base/text.ts";

/** Name of a tree: SHA-256 over all it holds, 64 lower-case hexadecimal digits. Equal trees, and only those, have equal ones. */
export type TreeHash = string & { readonly __brand: "TreeHash" };

/** Whether `text` has the form of a {@link TreeHash}. */
export function isTreeHash(text: string): text is TreeHash {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Parses a tree hash. Throws `LOCK_INVALID`. */
export function parseTreeHash(text: string): TreeHash {
  if (isTreeHash(text)) return text;
  throw new AppError(
    "LOCK_INVALID",
    `Cannot use ${quote(text)} as a tree hash: it is not 64 hexadecimal digits`,
  );
}

/** One entry of a tree. `path` is relative to the root, in Unicode form NFC, with `/`. */
export type TreeEntry =
  | { readonly kind: "directory"; readonly path: string }
  | FileEntry
  | {
    readonly kind: "symlink";
    readonly path: string;
    readonly target: string;
  };

/** A regular file of a tree. */
export interface FileEntry {
  readonly kind: "file";
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  readonly executable: boolean;
}

/** How large a tree may be. */
export interface TreeLimits {
  /** Files, directories and links; 20,000 unless given. */
  readonly entries?: number;
  /** Bytes of all files; 512 MiB unless given. */
  readonly bytes?: number;
}

/** A tree and the place in an environment where it is to stand. */
export interface Placement {
  readonly hash: TreeHash;
  /** The tree's root. Its parents are made when they are missing. */
  readonly target: AbsPath;
}

/** What is not as it should be in a placed tree. */
export interface Difference {
  /** With `/`, relative to the tree's root; `.` for the root itself. */
  readonly path: string;
  /** `changed`: other contents; `replaced`: something of another kind; `mode`: other permission bits. */
  readonly change: "added" | "removed" | "changed" | "replaced" | "mode";
}

/** Permission bits of everything in the store and of everything placed from it: nobody writes there. */
export const MODES = {
  directory: 0o500,
  file: 0o400,
  executable: 0o500,
} as const;

/** One letter for what an entry is. */
export function kindLetter(entry: TreeEntry): "d" | "f" | "x" | "l" {
  if (entry.kind === "directory") return "d";
  if (entry.kind === "symlink") return "l";
  return entry.executable ? "x" : "f";
}

/** The permission bits that a file or directory must have. */
export function modeOf(entry: TreeEntry): number {
  if (entry.kind !== "file") return MODES.directory;
  return entry.executable ? MODES.executable : MODES.file;
}

/** Order of two texts by their bytes in UTF-8. JavaScript's own order differs beyond U+FFFF. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return byteOrder(x) - byteOrder(y);
  }
  return a.length - b.length;
}

/** Moves surrogates, which stand for what is beyond U+FFFF, behind the rest. */
function byteOrder(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
