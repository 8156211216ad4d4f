/** Which names a tree may have, so that it is the same tree on every system. Pure. */
import { isWindowsDevice } from "./ids.ts";

/**
 * Names that are never part of a plugin or skill, at any depth: what version control, file managers and interpreters
 * leave behind.
 */
export const EXCLUDED_NAMES: ReadonlySet<string> = new Set([
  ".git",
  ".hg",
  ".jj",
  ".svn",
  ".DS_Store",
  "Thumbs.db",
  "__MACOSX",
  "__pycache__",
  ".mypy_cache",
  ".pytest_cache",
  ".ruff_cache",
]);

/** Longest name of one entry, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 255;
/** Longest path below a tree's root, in bytes of UTF-8. */
export const MAX_PATH_BYTES = 1024;

// deno-lint-ignore no-control-regex
const ASCII = /^[\u0000-\u007f]*$/;

/** Why one name, without its directory, cannot stand in a tree on every system; undefined when it can. */
export function entryNameProblem(name: string): string | undefined {
  if (name === "" || name === "." || name === "..") return "is no name";
  if (!name.isWellFormed() || name.includes("\ufffd")) {
    return "has a name that is not UTF-8";
  }
  if (name.includes("\0")) return "has a NUL in its name";
  if (/\p{Cc}/u.test(name)) return "has a control character in its name";
  if (name.includes("\\")) return "has a backslash in its name";
  if (name.includes("/")) return "has a slash in its name";
  if (/[. ]$/.test(name)) return "has a name that ends in a dot or a space";
  if (isWindowsDevice(name)) return "has the name of a device on Windows";
  if (byteLength(name) > MAX_NAME_BYTES) return "has too long a name";
  return undefined;
}

/** A name or path as the least exact file system sees it: in one Unicode form, without case. */
export function foldCase(name: string): string {
  return ASCII.test(name)
    ? name.toLowerCase()
    : name.normalize("NFD").toUpperCase().toLowerCase().normalize("NFC");
}

/** Bytes of `text` in UTF-8. */
export function byteLength(text: string): number {
  return ASCII.test(text) ? text.length : new TextEncoder().encode(text).length;
}
