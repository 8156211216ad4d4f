/**
 * What a session made deeper in a project than protected paths reach: a repository with a hook in it, a task file for an
 * editor. Found after a run by the time of its last change, which nobody inside can set. Only of configurations of git it is
 * known what they held: where an existing repository is pushed to counts, where a new one comes from does not.
 */
import { type AbsPath, join, parent } from "../base/paths.ts";
import { type Mark, markOf } from "../os/marks.ts";
import { readNames } from "../os/names.ts";
import { unlessDenied } from "./host_facts_paths.ts";
import { isIn } from "./path_text.ts";
import type { Change, Snapshot, Watched } from "./protect.ts";

/** Directories that are looked at, and how deep. */
const MAX_DIRS = 10_000;
const MAX_DEPTH = 8;
/** Entries of one found directory that are looked at. */
const MAX_PARTS = 500;
/** Directories of installed packages: nobody stands in them. */
const SKIPPED: ReadonlySet<string> = new Set(["node_modules", ".venv", "venv"]);

/** Names that count wherever they are, with the parts that count of a repository. */
const NAMES: ReadonlySet<string> = new Set([
  ".mcp.json",
  ".claude",
  ".codex",
  ".envrc",
  ".vscode",
  ".idea",
]);
const GIT_PARTS: readonly string[] = [
  "commondir",
  "config",
  "config.worktree",
  "hooks",
  "aenv",
];

const CONFIG = /\/config(?:\.worktree)?$/;
const MAX_CONFIGS = 1000;

/** What git takes a directory for a repository by, whatever its name is. */
const GIT_SIGNS: readonly string[] = ["HEAD", "objects", "refs"];

/** Where to look, and for what. */
export interface NestedQuery {
  readonly project: AbsPath;
  /** What is compared with a snapshot anyway. */
  readonly watched: readonly Watched[];
  /** Microseconds since the epoch: what was changed earlier is not the session's. */
  readonly since: number;
  /** What configurations of git held before, as far as it is known. */
  readonly known?: Snapshot;
}

/** What is deeper in the project. */
export interface Nested {
  /** What the session made or changed, sorted. */
  readonly changes: readonly Change[];
  /** Configurations of git, whoever made them. */
  readonly configs: readonly AbsPath[];
}

/** Looks through the project. */
export function lookForNested(query: NestedQuery): Nested {
  const { known = {} } = query;
  const found: AbsPath[] = [];
  const opaque: AbsPath[] = [];
  let dirs = 0;
  function walk(dir: AbsPath, depth: number): void {
    if (++dirs > MAX_DIRS) return;
    const entries = unlessDenied(() => readNames(dir));
    if (entries === undefined) {
      // One that was closed can still be entered, and git runs what is in it.
      if (dir !== query.project) found.push(dir);
      return;
    }
    if (isRepository(entries)) found.push(...partsOf(dir));
    for (const { name, kind, isText } of entries) {
      const path = join(dir, name);
      // What is in it cannot be looked at.
      if (!isText && kind === "directory") opaque.push(path);
      else if (name === ".git") found.push(...gitParts(path));
      else if (NAMES.has(name)) found.push(path);
      else if (kind === "directory" && depth > 0 && !SKIPPED.has(name)) {
        walk(path, depth - 1);
      }
    }
  }
  walk(query.project, MAX_DEPTH);
  const own = found.filter((path) => !isWatched(path, query.watched));
  const changes = own.flatMap((path) => changedIn(path, query.since))
    .concat(opaque.flatMap((path) => madeIn(parent(path), path, query)))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    changes: changes.map((each) => {
      const before = Object.hasOwn(known, each.path)
        ? known[each.path]
        : undefined;
      return { ...each, before };
    }),
    configs: own.filter((path) => CONFIG.test(path)).slice(0, MAX_CONFIGS),
  };
}

/** The parts of a repository that run something; of a worktree the file that points to it. */
function gitParts(entry: AbsPath): AbsPath[] {
  const kind = unlessDenied(() => markOf(entry))?.kind;
  return kind === "directory" ? partsOf(entry) : [entry];
}

function partsOf(repository: AbsPath): AbsPath[] {
  return GIT_PARTS.map((name) => join(repository, name));
}

/** A shell's prompt that asks git runs what such a directory configures. */
function isRepository(entries: readonly { readonly name: string }[]): boolean {
  const names = new Set(entries.map(({ name }) => name));
  return GIT_SIGNS.every((name) => names.has(name));
}

function isWatched(path: AbsPath, watched: readonly Watched[]): boolean {
  return watched.some((entry) =>
    entry.tree ? isIn(path, entry.path) : path === entry.path
  );
}

/** One change for a file, or for the first changed file of a directory. */
function changedIn(path: AbsPath, since: number): Change[] {
  const mark = unlessDenied(() => markOf(path));
  if (mark === undefined) return [];
  if (mark.kind !== "directory") {
    return mark.ctime >= since ? [change(path, mark)] : [];
  }
  const changed = firstChanged(path, since, { left: MAX_PARTS });
  return changed === undefined ? [] : [change(changed.path, changed.mark)];
}

function firstChanged(
  dir: AbsPath,
  since: number,
  budget: { left: number },
): { readonly path: AbsPath; readonly mark: Mark } | undefined {
  const entries = unlessDenied(() => readNames(dir));
  if (entries === undefined) return changedItself(dir, since);
  for (const { name, isText } of entries) {
    // Git puts samples there that do not run under their names.
    if (name.endsWith(".sample")) continue;
    if (budget.left-- <= 0) return changedItself(dir, since);
    const path = join(dir, name);
    // A name that is no text cannot be asked about; its directory can.
    const mark = unlessDenied(() => isText ? markOf(path) : namesMark(dir));
    if (mark === undefined) continue;
    if (mark.kind !== "directory" && mark.ctime >= since) return { path, mark };
    if (mark.kind !== "directory") continue;
    const below = firstChanged(path, since, budget);
    if (below !== undefined) return below;
  }
  return undefined;
}

/** A directory that cannot be looked through, if it may be the session's that it cannot. */
function changedItself(
  path: AbsPath,
  since: number,
): { readonly path: AbsPath; readonly mark: Mark } | undefined {
  const mark = unlessDenied(() => namesMark(path));
  return mark !== undefined && mark.ctime >= since ? { path, mark } : undefined;
}

/** When names in a directory last changed. */
function namesMark(dir: AbsPath): Mark | undefined {
  const mark = markOf(dir);
  return mark && { ...mark, kind: "other" };
}

/** A change for a directory whose name is no text, if it may be the session's. */
function madeIn(
  dir: AbsPath,
  path: AbsPath,
  { since }: NestedQuery,
): Change[] {
  const mark = unlessDenied(() => namesMark(dir));
  return mark !== undefined && mark.ctime >= since ? [change(path, mark)] : [];
}

function change(path: AbsPath, { kind, mode }: Mark): Change {
  const file = { kind: "file", mode, hash: undefined, mark: "" } as const;
  return {
    path,
    change: "nested",
    before: undefined,
    after: kind === "file" ? file : { kind: "other" },
    why: "it runs or is believed where it stands",
  };
}
