/**
 * Which directories git needs for a working tree, and which of their parts run something. A `.git` file is content of the
 * repository and could point anywhere: a directory outside the tree counts only when it points back.
 */
import {
  type AbsPath,
  basename,
  isWithin,
  join,
  parent,
  resolveFrom,
} from "../base/paths.ts";
import { unlessDenied } from "./host_facts_paths.ts";
import { kindAt, readDir, readText, realPath } from "./looks.ts";
import type { GitPlaces } from "./policy_input.ts";

/** How deep submodules in submodules are looked for, and how many. */
const MODULE_DEPTH = 4;
const MAX_MODULES = 200;
const MAX_WORKTREES = 200;

/** What git needs for the working tree at `root`; undefined when it is none. */
export function gitPlaces(
  root: AbsPath,
  home?: AbsPath,
): GitPlaces | undefined {
  const entry = join(root, ".git");
  const kind = unlessDenied(() => kindAt(entry));
  if (kind === undefined || kind === "other") return undefined;
  const dir = kind === "file" ? pointedTo(entry) : realOf(entry);
  if (dir === undefined) return { ...NOTHING, entry };
  const common = commonDir(dir);
  const dirs = [...new Set([common, dir])];
  const problem = dirs.every((path) => isWithin(path, root))
    ? undefined
    : distrust({ root, entry, dir, common });
  if (problem !== undefined) return { ...NOTHING, entry, problem };
  return {
    entry,
    // The common directory holds those of its worktrees.
    dirs: isWithin(dir, common) ? [common] : dirs,
    modules: [common, ...modulesOf(common)].flatMap((path) => [
      ...(path === common ? [] : [path]),
      ...worktreesOf(path),
    ]),
    hooksPath: hooksPath(common, { root, home }),
    problem: undefined,
  };
}

const NOTHING = {
  dirs: [],
  modules: [],
  hooksPath: undefined,
  problem: undefined,
} as const;

/** The directory that a `.git` file names. */
function pointedTo(file: AbsPath): AbsPath | undefined {
  const text = smallText(file);
  const match = /^gitdir: (.+?)\r?\n?$/.exec(text ?? "");
  return match === null
    ? undefined
    : realOf(resolveFrom(parent(file), match[1]!));
}

function commonDir(dir: AbsPath): AbsPath {
  const text = smallText(join(dir, "commondir"))?.trim();
  if (!text) return dir;
  return realOf(resolveFrom(dir, text)) ?? dir;
}

/** Why git directories outside the working tree are not believed to be its own; undefined when they are. */
function distrust({ root, entry, dir, common }: {
  readonly root: AbsPath;
  readonly entry: AbsPath;
  readonly dir: AbsPath;
  readonly common: AbsPath;
}): string | undefined {
  if (!isGitDir(common)) return `${common} is no git directory`;
  if (dir !== common) {
    const back = smallText(join(dir, "gitdir"))?.trim();
    const named = back === undefined ? undefined : resolveFrom(dir, back);
    const isWorktree = parent(dir) === join(common, "worktrees") &&
      named !== undefined && sameEntry(named, entry);
    return isWorktree
      ? undefined
      : `${dir} is not the directory of this worktree`;
  }
  // A submodule: its own git directory names the tree that it belongs to.
  const tree = configValues(common, "core", "worktree").at(-1);
  const isModule = tree !== undefined &&
    realOf(resolveFrom(dir, tree)) === root && /\/modules\//.test(dir);
  return isModule ? undefined : `${dir} does not name this working tree`;
}

function sameEntry(a: AbsPath, b: AbsPath): boolean {
  return basename(a) === basename(b) && realOf(parent(a)) === realOf(parent(b));
}

function isGitDir(dir: AbsPath): boolean {
  return ["HEAD", "objects", "refs"].every((name) =>
    unlessDenied(() => kindAt(join(dir, name))) !== undefined
  );
}

/** Git directories of submodules: those below `modules/` that have a HEAD. */
function modulesOf(common: AbsPath): AbsPath[] {
  const found: AbsPath[] = [];
  function walk(dir: AbsPath, depth: number): void {
    for (const { name, kind } of unlessDenied(() => readDir(dir)) ?? []) {
      if (kind !== "directory" || found.length >= MAX_MODULES) continue;
      const path = join(dir, name);
      if (kindAt(join(path, "HEAD")) === undefined) {
        if (depth > 0) walk(path, depth - 1);
        continue;
      }
      found.push(path);
      walk(join(path, "modules"), depth - 1);
    }
  }
  if (kindAt(join(common, "modules")) === "directory") {
    walk(join(common, "modules"), MODULE_DEPTH);
  }
  return found;
}

/** Git directories of worktrees: in each a file says where the repository is, hooks included. */
function worktreesOf(common: AbsPath): AbsPath[] {
  const dir = join(common, "worktrees");
  return (unlessDenied(() => readDir(dir)) ?? []).slice(0, MAX_WORKTREES)
    .filter(({ kind }) => kind === "directory")
    .map(({ name }) => join(dir, name));
}

function hooksPath(
  common: AbsPath,
  { root, home }: {
    readonly root: AbsPath;
    readonly home: AbsPath | undefined;
  },
): AbsPath | undefined {
  const text = configValues(common, "core", "hookspath").at(-1);
  if (!text || (text.startsWith("~") && home === undefined)) return undefined;
  const path = text.startsWith("~/")
    ? join(home!, text.slice(2))
    : resolveFrom(root, text);
  // husky: the directory holds wrappers for scripts that lie beside it.
  return basename(path) === "_" ? parent(path) : path;
}

/** The values of a key in a repository's own configuration, in order. Names in lower case. */
function configValues(dir: AbsPath, section: string, key: string): string[] {
  return parseGitConfig(smallText(join(dir, "config")) ?? "")
    .filter((entry) => entry.section === section && entry.key === key)
    .map(({ value }) => value);
}

/** One line of a git configuration. */
export interface GitSetting {
  /** `core`, `includeif gitdir:~/work/`; the first word in lower case. */
  readonly section: string;
  readonly key: string;
  readonly value: string;
}

/** The settings of a git configuration text. Continued lines are not joined: no value that is asked for has them. */
export function parseGitConfig(text: string): GitSetting[] {
  const found: GitSetting[] = [];
  let section = "";
  for (const raw of text.split(/\r?\n/)) {
    const header = /^\s*\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\](.*)$/
      .exec(raw);
    if (header !== null) {
      const sub = header[2];
      section = header[1]!.toLowerCase() + (sub === undefined ? "" : ` ${sub}`);
    }
    const line = header === null ? raw : header[3]!;
    const setting = /^\s*([A-Za-z][\w-]*)\s*(?:=\s*(.*))?$/.exec(line);
    if (setting === null) continue;
    const value = valueOf(setting[2] ?? "true");
    found.push({ section, key: setting[1]!.toLowerCase(), value });
  }
  return found;
}

function valueOf(text: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(text);
  if (quoted !== null) return quoted[1]!.replace(/\\(["\\])/g, "$1");
  return text.replace(/\s*[#;].*$/, "").trim();
}

function smallText(path: AbsPath): string | undefined {
  return unlessDenied(() => readText(path, 1024 * 1024));
}

function realOf(path: AbsPath): AbsPath | undefined {
  return unlessDenied(() => realPath(path));
}
