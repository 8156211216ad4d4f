/** The thorough look at entries: by contents. */
import type { AbsPath } from "../base/paths.ts";
import { hashFile } from "../os/file_hash.ts";
import { HAS_MODES, readLink } from "../os/fs.ts";
import { isDenied } from "../os/io_error.ts";
import { type Mark, markOf } from "../os/marks.ts";
import { readNames } from "../os/names.ts";
import {
  compareBytes,
  type Difference,
  modeOf,
  type TreeEntry,
} from "./entries.ts";
import { entryAt, pathAt } from "./objects.ts";
import type { Store } from "./store.ts";

/** What was found. */
export interface Examined {
  /** In order of path; nothing below what is gone or replaced. */
  readonly differences: Difference[];
  /** Marks, by number, of the entries that are right. Empty where nothing can be remembered. */
  readonly marks: ReadonlyMap<number, Mark>;
}

/** What to look at. */
export interface Examination {
  readonly root: AbsPath;
  readonly entries: readonly TreeEntry[];
  /** Numbers of entries, as in {@link entryAt}. */
  readonly suspects: readonly number[];
}

/** Compares entries with what they should be. Throws `IO`. */
export async function examine(
  store: Store,
  { root, entries, suspects }: Examination,
): Promise<Examined> {
  // A change in the same step of the clock as the last one would go unseen later.
  const times = suspects.map((index) => timeAt(pathAt(root, entries, index)));
  const latest = times.reduce((a, b) => Math.max(a, b), 0);
  const canRemember = await store.settle(latest);
  const children = childrenOf(entries);
  const differences: Difference[] = [];
  const marks = new Map<number, Mark>();
  for (const index of suspects) {
    const entry = entryAt(entries, index);
    const full = pathAt(root, entries, index);
    try {
      const mark = markOf(full);
      const before = differences.length;
      differences.push(...compareEntry(entry, full, mark));
      if (entry.kind === "directory" && mark?.kind === "directory") {
        differences.push(...addedIn(full, entry.path, children));
      }
      const isRight = differences.length === before;
      if (isRight && mark !== undefined && canRemember) marks.set(index, mark);
    } catch (error) {
      // Of a directory that is closed its mode has been told, and more cannot be seen.
      if (!isDenied(error) || differences.length === 0) throw error;
    }
  }
  return { differences: topmost(differences), marks };
}

/** 0 for what is gone or cannot be seen. */
function timeAt(full: AbsPath): number {
  try {
    return markOf(full)?.ctime ?? 0;
  } catch (error) {
    if (!isDenied(error)) throw error;
    return 0;
  }
}

/** Names in each directory, by its path. */
function childrenOf(
  entries: readonly TreeEntry[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const children = new Map<string, Set<string>>([["", new Set()]]);
  for (const { kind, path } of entries) {
    if (kind === "directory") children.set(path, new Set());
    const slash = path.lastIndexOf("/");
    children.get(path.slice(0, Math.max(slash, 0)))
      ?.add(path.slice(slash + 1));
  }
  return children;
}

function compareEntry(
  entry: TreeEntry,
  full: AbsPath,
  mark: Mark | undefined,
): Difference[] {
  const path = entry.path || ".";
  if (mark === undefined) return [{ path, change: "removed" }];
  if (mark.kind !== entry.kind) return [{ path, change: "replaced" }];
  if (!hasContents(entry, full, mark)) return [{ path, change: "changed" }];
  const isModeRight = entry.kind === "symlink" || !HAS_MODES ||
    mark.mode === modeOf(entry);
  return isModeRight ? [] : [{ path, change: "mode" }];
}

function hasContents(entry: TreeEntry, full: AbsPath, mark: Mark): boolean {
  if (entry.kind === "directory") return true;
  if (entry.kind === "symlink") {
    return readLink(full)?.normalize("NFC") === entry.target;
  }
  return mark.size === entry.size && readableHash(full, mark) === entry.sha256;
}

/** Undefined also when its owner may not read it: then somebody took the right away. */
function readableHash(full: AbsPath, mark: Mark): string | undefined {
  if (HAS_MODES && (mark.mode & 0o400) === 0) return undefined;
  return hashFile(full, mark);
}

function addedIn(
  full: AbsPath,
  path: string,
  children: ReadonlyMap<string, ReadonlySet<string>>,
): Difference[] {
  const expected = children.get(path);
  const names = readNames(full);
  const exact = new Set(names.map(({ name }) => name));
  return names.flatMap(({ name, isText }): Difference[] => {
    const own = name.normalize("NFC");
    // Some file systems give every name in another Unicode form; on the others that is one more name.
    const isKnown = isText && expected?.has(own) &&
      (own === name || !exact.has(own));
    if (isKnown) return [];
    return [{ path: path === "" ? name : `${path}/${name}`, change: "added" }];
  });
}

/** Sorted, without what lies below something that is gone or of another kind. */
function topmost(differences: readonly Difference[]): Difference[] {
  const lost = new Set<string>();
  for (const { path, change } of differences) {
    if (change === "removed" || change === "replaced") lost.add(path);
  }
  const isBelowLost = (path: string) =>
    lost.has(".") && path !== "." ||
    path.split("/").some((_, i, parts) =>
      i > 0 && lost.has(parts.slice(0, i).join("/"))
    );
  return differences.filter(({ path }) => !isBelowLost(path))
    .sort((a, b) => compareBytes(a.path, b.path));
}
