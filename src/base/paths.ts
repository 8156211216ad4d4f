/** Absolute paths as a type of their own, compared by component. */
import { isAbsolute, join as joinPath, relative, resolve } from "node:path";
import { AppError } from "./errors.ts";
import { quote } from "./text.ts";

/** A normalised absolute path without NUL bytes. */
export type AbsPath = string & { readonly __brand: "AbsPath" };

/** Parses an absolute path; `what` names it in the error. Throws `PATH_INVALID`. */
export function parseAbsPath(text: string, what: string): AbsPath {
  if (text.includes("\0") || !isAbsolute(text)) {
    throw new AppError(
      "PATH_INVALID",
      `Cannot use ${quote(text)} for ${
        quote(what)
      }: it is not an absolute path`,
    );
  }
  return resolve(text) as AbsPath;
}

/** `base` with `parts` appended and normalised. Parts are ours or validated: use {@link within} for foreign ones. */
export function join(base: AbsPath, ...parts: string[]): AbsPath {
  return joinPath(base, ...parts) as AbsPath;
}

/** `text` made absolute against `base`. */
export function resolveFrom(base: AbsPath, text: string): AbsPath {
  return resolve(base, text) as AbsPath;
}

/** Whether `path` is `base` or lies below it, by component. */
export function isWithin(path: string, base: string): boolean {
  const rest = relative(base, path);
  return rest === "" ||
    (rest !== ".." && !/^\.\.[/\\]/.test(rest) && !isAbsolute(rest));
}

/** Whether `path` lies below `base` and is not `base` itself. */
export function isBelow(path: string, base: string): boolean {
  return path !== base && isWithin(path, base);
}

/** `path` and its parents up to the root, nearest first. */
export function ancestors(path: AbsPath): AbsPath[] {
  const found: AbsPath[] = [];
  let at = path;
  while (true) {
    found.push(at);
    const parent = join(at, "..");
    if (parent === at) return found;
    at = parent;
  }
}

/** `path` with the home directory shown as `~`, for people. */
export function tilde(path: string, home: string): string {
  if (path === home) return "~";
  if (!isAbsolute(path)) return path;
  return isBelow(path, home) ? "~/" + relative(home, path) : path;
}
