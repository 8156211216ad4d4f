/**
 * Taking back what a transaction did that did not end: it failed, or its process was killed. Any step may have been done or
 * not, and this may itself be killed and run again.
 */
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, basename, join, parent } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { discard } from "../os/discard.ts";
import {
  lstat,
  makeDir,
  readBytes,
  readDir,
  removeEmptyDir,
  rename,
  symlink,
  syncDir,
  writeSynced,
} from "../os/fs.ts";
import { beforeFile, invalid, treeDir, txDir, writeRecord } from "./record.ts";
import {
  fileThing,
  isSameThing,
  replaceThing,
  settlePath,
  thingAt,
  treeMark,
} from "./things.ts";
import type { Entry, Thing, TxId, TxRecord } from "./types.ts";

/** Where undoing happens. */
export interface UndoPlace {
  readonly dirs: Dirs;
  /** Whether what was changed since is put aside and no reason to stop. */
  readonly force: boolean;
  /**
   * Whether this process itself has just done what is undone: what is where it has taken something away, a launch has made
   * that did not see it in time.
   */
  readonly isOwn?: boolean;
}

type PutEntry = Extract<Entry, { op: "put" }>;

/** Undoes all entries, the last first; returns the record as it is then. Throws `TX_CONFLICT`, `TX_INVALID`, `IO`. */
export function undoAll(record: TxRecord, place: UndoPlace): TxRecord {
  const dir = txDir(place.dirs, record.id);
  // After a move the paths of what came later mean something else: they must not be looked at again.
  const countsSteps = record.entries.some((entry) => entry.op === "move");
  let now = record;
  for (let i = record.entries.length - 1 - record.undone; i >= 0; i--) {
    undoEntry(record.entries[i]!, i, { record, place });
    now = { ...now, undone: now.undone + 1 };
    if (countsSteps) writeRecord(dir, now);
  }
  return now;
}

/** Whether the entries of a killed transaction are all done, so that it only has to be called committed. */
export function isDone(record: TxRecord, dirs: Dirs): boolean {
  return record.entries.length > 0 && record.undone === 0 &&
    record.entries.every((entry, i) => {
      switch (entry.op) {
        case "put":
          return !isSameThing(thingAt(entry.path), entry.before);
        case "place":
          return lstat(entry.path) !== undefined &&
            lstat(sourceOf(entry, i, { dirs, id: record.id })) === undefined;
        case "mkdir":
          return lstat(entry.path) !== undefined;
        default:
          return false;
      }
    });
}

/** Where the tree of a `place` comes from. */
export function sourceOf(
  entry: Extract<Entry, { op: "place" }>,
  index: number,
  { dirs, id }: { dirs: Dirs; id: TxId },
): AbsPath {
  return entry.from === null
    ? treeDir(txDir(dirs, id), index)
    : treeDir(txDir(dirs, entry.from.id), entry.from.index);
}

/** The name that a new file has until it replaces the one at `path`: known beforehand, so that a killed one is found. */
export function tempBeside(path: AbsPath, id: TxId, index: number): AbsPath {
  return join(parent(path), `.aenv-${id}-${index}`);
}

/**
 * Whether the file is to be put back; false when it is as it was before. Throws `TX_CONFLICT` when it is neither as it was
 * before nor as it was written, unless `force`, and when a link leads to another place now.
 */
export function mustPutBack(
  entry: PutEntry,
  { force }: { force: boolean },
): boolean {
  const { path, before, after } = entry;
  const settled = settlePath(path);
  if (settled === undefined) {
    if (before.kind === "missing") return false;
    throw changed(path, "its directory is gone");
  }
  if (settled !== path) throw changed(path, "a link leads elsewhere now");
  const now = thingAt(path);
  if (isSameThing(now, before)) return false;
  if (now.kind === "other") throw changed(path, "it is no file any more");
  if (!force && !isSameThing(now, after)) {
    throw changed(path, "it has changed since");
  }
  return true;
}

/** The bytes that entry `index` of transaction `id` replaced; undefined where it was no file. Throws `TX_INVALID`. */
export function bytesBefore(
  before: Thing,
  index: number,
  { dirs, id }: { dirs: Dirs; id: TxId },
): Uint8Array | undefined {
  if (before.kind !== "file") return undefined;
  const file = beforeFile(txDir(dirs, id), index);
  const bytes = lstat(file)?.kind === "file" ? readBytes(file) : undefined;
  const isGood = bytes !== undefined &&
    isSameThing(fileThing(bytes, before.mode), before);
  if (!isGood) throw invalid(id, `its copy ${index} is missing or damaged`);
  return bytes;
}

/** The error for what is not as a transaction left it. */
export function changed(path: AbsPath, state: string): AppError {
  return new AppError(
    "TX_CONFLICT",
    `Cannot take back ${quote(path)}: ${state}`,
  );
}

/** Throws `TX_CONFLICT` unless the directory that holds `path` is where it was. */
export function requireSettled(path: AbsPath): void {
  if (settlePath(path) !== path) {
    throw changed(path, "its directory is gone, or a link leads elsewhere now");
  }
}

interface Step {
  readonly record: TxRecord;
  readonly place: UndoPlace;
}

function undoEntry(entry: Entry, index: number, step: Step): void {
  const { record, place } = step;
  const at = { dirs: place.dirs, id: record.id };
  switch (entry.op) {
    case "put":
      return undoPut(entry, index, step);
    case "place":
      return undoPlace(entry, sourceOf(entry, index, at), { index, step });
    case "take":
      return undoTake(entry.path, index, step);
    case "move":
      requireSettled(entry.path);
      requireSettled(entry.to);
      if (!isNamed(entry.to)) return;
      if (isNamed(entry.path)) {
        if (!place.isOwn) return;
        joinAside(entry.path, entry.to, { index, step });
      }
      return rename(entry.to, entry.path);
    case "mkdir":
      requireSettled(entry.path);
      if (lstat(entry.path)?.kind === "directory") removeEmptyDir(entry.path);
      return;
    case "rmdir":
      requireSettled(entry.path);
      if (lstat(entry.path) === undefined) makeDir(entry.path);
  }
}

function undoPut(entry: PutEntry, index: number, step: Step): void {
  const { record: { id }, place } = step;
  const temp = tempBeside(entry.path, id, index);
  // A name that cannot be removed may be one that could not be made.
  if (settlePath(entry.path) === entry.path) discard(temp);
  if (!mustPutBack(entry, place)) return;
  const bytes = bytesBefore(entry.before, index, { dirs: place.dirs, id });
  if (!isSameThing(thingAt(entry.path), entry.after)) {
    putAside(entry.path, keptName(txDir(place.dirs, id), index));
  }
  replaceThing(entry.path, entry.before, { temp, bytes });
}

/** Keeps what somebody wrote meanwhile, beside the record. */
function putAside(path: AbsPath, kept: AbsPath): void {
  const now = thingAt(path);
  if (now.kind === "symlink") symlink(kept, now.target);
  if (now.kind === "file") writeSynced(kept, readBytes(path)!, now.mode);
}

function keptName(dir: AbsPath, index: number): AbsPath {
  let name = join(dir, `${index}.kept`);
  while (lstat(name) !== undefined) name = name + "+" as AbsPath;
  return name;
}

/** A tree that was placed goes back to where it came from; one that was written into is not given up by that. */
function undoPlace(
  { path, mark }: Extract<Entry, { op: "place" }>,
  source: AbsPath,
  { index, step: { record, place } }: { index: number; step: Step },
): void {
  requireSettled(path);
  // Never placed, or taken back already.
  if (lstat(path) === undefined || lstat(source) !== undefined) return;
  const isChanged = treeMark(path) !== mark;
  if (isChanged && !place.force) throw changed(path, "it has changed since");
  const dir = txDir(place.dirs, record.id);
  rename(path, isChanged ? keptName(dir, index) : source);
  syncDir(parent(path));
}

function undoTake(path: AbsPath, index: number, step: Step): void {
  const dir = txDir(step.place.dirs, step.record.id);
  const tree = treeDir(dir, index);
  requireSettled(path);
  if (lstat(tree) === undefined) return;
  if (lstat(path) !== undefined) {
    const { force, isOwn } = step.place;
    if (!force && !isOwn) throw changed(path, "something else is there now");
    if (isOwn) joinAside(path, tree, { index, step });
    else rename(path, keptName(dir, index));
  }
  rename(tree, path);
  syncDir(parent(path));
}

/** Puts aside what is at `path`, and moves from there what `tree` has not; no deeper, since something may be at work there. */
function joinAside(
  path: AbsPath,
  tree: AbsPath,
  { index, step: { record, place } }: { index: number; step: Step },
): void {
  const kept = keptName(txDir(place.dirs, record.id), index);
  rename(path, kept);
  const areBoth = [kept, tree].every((each) =>
    lstat(each)?.kind === "directory"
  );
  if (!areBoth) return;
  for (const { name } of readDir(kept) ?? []) {
    const to = join(tree, name);
    if (lstat(to) === undefined) rename(join(kept, name), to);
  }
  removeEmptyDir(kept);
}

/** Whether the directory has an entry of exactly this name: some file systems find `A` when asked for `a`. */
function isNamed(path: AbsPath): boolean {
  const name = basename(path);
  return (readDir(parent(path)) ?? []).some((entry) => entry.name === name);
}
