/**
 * Paths as text, for one system's notation. Written here because under Deno 2.9 the first import of a `node:` module costs
 * 11 ms at start, more than everything else that a launch does.
 */

/** How a system writes paths. */
export interface Notation {
  readonly separator: string;
  /** Between the directories of PATH. */
  readonly listSeparator: string;
  /** The root of an absolute path, as written, and how it is shown; undefined for a relative path. */
  rootOf(
    path: string,
  ): { readonly written: string; readonly shown: string } | undefined;
  /** What separates components. */
  readonly separators: RegExp;
}

/** `/a/b`. */
export const POSIX: Notation = {
  separator: "/",
  listSeparator: ":",
  separators: /\/+/,
  rootOf(path) {
    return path.startsWith("/") ? { written: "/", shown: "/" } : undefined;
  },
};

/** `C:\a\b` and `\\server\share\a`. */
export const WINDOWS: Notation = {
  separator: "\\",
  listSeparator: ";",
  separators: /[/\\]+/,
  rootOf(path) {
    const drive = /^([A-Za-z]:)[/\\]+/.exec(path);
    if (drive) return { written: drive[0], shown: `${drive[1]}\\` };
    const share = /^[/\\]{2}([^/\\]+)[/\\]+([^/\\]+)(?:[/\\]+|$)/.exec(path);
    if (!share) return undefined;
    return { written: share[0], shown: `\\\\${share[1]}\\${share[2]}\\` };
  },
};

/** An absolute path taken apart: its root and its components, without `.` and `..`. */
export interface Parts {
  readonly root: string;
  readonly names: readonly string[];
}

/** Takes an absolute path apart; undefined for a relative one. */
export function split(path: string, notation: Notation): Parts | undefined {
  const root = notation.rootOf(path);
  if (root === undefined) return undefined;
  const names: string[] = [];
  for (
    const name of path.slice(root.written.length).split(notation.separators)
  ) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return { root: root.shown, names };
}

/** Puts a path together. */
export function unsplit({ root, names }: Parts, notation: Notation): string {
  return root + names.join(notation.separator);
}

/** The way from `base` to `path`, both absolute: empty when they are one, `path` itself when their roots differ. */
export function way(base: Parts, path: Parts, notation: Notation): string {
  if (base.root.toLowerCase() !== path.root.toLowerCase()) {
    return unsplit(path, notation);
  }
  let common = 0;
  while (
    common < base.names.length && base.names[common] === path.names[common]
  ) common++;
  const up = base.names.slice(common).map(() => "..");
  return [...up, ...path.names.slice(common)].join(notation.separator);
}
