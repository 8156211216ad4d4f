/** Absolute paths as a type of their own, compared by component. */
import { BUILD_INFO } from "./build_info.ts";
import { AppError } from "./errors.ts";
import {
  type Parts,
  POSIX,
  split,
  unsplit,
  way,
  WINDOWS,
} from "./path_words.ts";
import { quote } from "./text.ts";

/** A normalised absolute path without NUL bytes. */
export type AbsPath = string & { readonly __brand: "AbsPath" };

/** Programs for Windows are built; elsewhere and from source paths are written as POSIX has them. */
const NOTATION = BUILD_INFO.target.includes("windows") ? WINDOWS : POSIX;

/** What separates the directories of PATH. */
export const PATH_LIST_SEPARATOR = NOTATION.listSeparator;

/** Whether `text` is an absolute path. */
export function isAbsolutePath(text: string): boolean {
  return NOTATION.rootOf(text) !== undefined;
}

/** Parses an absolute path; `what` names it in the error. Throws `PATH_INVALID`. */
export function parseAbsPath(text: string, what: string): AbsPath {
  const parts = text.includes("\0") ? undefined : split(text, NOTATION);
  if (parts === undefined) {
    throw new AppError(
      "PATH_INVALID",
      `Cannot use ${quote(text)} for ${
        quote(what)
      }: it is not an absolute path`,
    );
  }
  return unsplit(parts, NOTATION) as AbsPath;
}

/** `base` with `parts` appended and normalised. Parts are ours or validated: use {@link isWithin} for foreign ones. */
export function join(base: AbsPath, ...parts: string[]): AbsPath {
  const text = [base, ...parts].join(NOTATION.separator);
  return unsplit(partsOf(text), NOTATION) as AbsPath;
}

/** `text` made absolute against `base`. */
export function resolveFrom(base: AbsPath, text: string): AbsPath {
  return isAbsolutePath(text) ? join(text as AbsPath) : join(base, text);
}

/** The last component of a path; empty for a root. */
export function basename(path: string): string {
  const root = NOTATION.rootOf(path)?.written ?? "";
  return path.slice(root.length).split(NOTATION.separators).findLast((name) =>
    name !== ""
  ) ?? "";
}

/** The directory that holds `path`; a root holds itself. */
export function parent(path: AbsPath): AbsPath {
  return join(path, "..");
}

/** Whether `path` is `base` or lies below it, by component. Both are absolute. */
export function isWithin(path: string, base: string): boolean {
  const [outer, inner] = [partsOf(base), partsOf(path)];
  return outer.root === inner.root &&
    outer.names.every((name, i) => name === inner.names[i]);
}

/** Whether `path` lies below `base` and is not `base` itself. */
export function isBelow(path: string, base: string): boolean {
  return isWithin(path, base) &&
    partsOf(path).names.length > partsOf(base).names.length;
}

function partsOf(path: string): Parts {
  // A text that is no absolute path got here by a mistake of ours: it lies nowhere.
  return split(path, NOTATION) ?? { root: "", names: [path] };
}

/** The way from `base` to `path`: `../shared`, `.` when they are one. Both are absolute. */
export function relative(base: AbsPath, path: AbsPath): string {
  return way(partsOf(base), partsOf(path), NOTATION) || ".";
}

/** `path` and its parents up to the root, nearest first. */
export function ancestors(path: AbsPath): AbsPath[] {
  const found: AbsPath[] = [];
  let at = path;
  while (true) {
    found.push(at);
    const above = parent(at);
    if (above === at) return found;
    at = above;
  }
}

/** `path` with the home directory shown as `~`, for people. */
export function tilde(path: string, home: string): string {
  if (!isAbsolutePath(path) || !isAbsolutePath(home)) return path;
  if (!isWithin(path, home)) return path;
  const below = way(partsOf(home), partsOf(path), NOTATION);
  return below === "" ? "~" : `~/${below}`;
}
