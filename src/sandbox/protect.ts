/** What protected paths hold, and what has changed since. Links are looked at, never followed. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, basename, join, parent } from "../base/paths.ts";
import { epochMs } from "../os/clock.ts";
import { readForeign } from "../os/foreign_file.ts";
import { readLink } from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import { type Mark, markOf } from "../os/marks.ts";
import { readNames } from "../os/names.ts";
import { unlessDenied } from "./host_facts_paths.ts";
import type { ProtectedPath } from "./types.ts";

/** What is at a path. What is not there has no entry. */
export type Held =
  | {
    readonly kind: "file";
    /** Permission bits. */
    readonly mode: number;
    /** SHA-256; undefined for a file of more than {@link MAX_FILE} bytes, which is known by its mark alone. */
    readonly hash: string | undefined;
    /** Changes with every change, and cannot be set back: identity, size, times. Empty when it was changed just now: the next change may look the same. */
    readonly mark: string;
  }
  | {
    readonly kind: "directory";
    readonly mode: number;
    /** As of a file; undefined where names in it may come and go. */
    readonly mark?: string;
  }
  | {
    readonly kind: "symlink";
    readonly target: string;
    readonly mark?: string;
  }
  /** A pipe, socket or device; or what may not be looked at, or has a name that is no text. */
  | { readonly kind: "other" };

/** A protected path, as far as it is compared. */
export type Watched = Pick<ProtectedPath, "path" | "tree" | "harmless"> & {
  /** Why it is protected, for people. */
  readonly why: string;
};

/** What protected paths held at one moment: path → what was there. */
export type Snapshot = Readonly<Record<string, Held>>;

/** One difference. */
export interface Change {
  readonly path: AbsPath;
  readonly change:
    | "created"
    | "deleted"
    | "content"
    | "mode"
    /** A directory became a file, a file a link, …. */
    | "kind"
    /** A link leads somewhere else. */
    | "target"
    /** Deeper in the project, where there is no snapshot: made or changed. */
    | "nested";
  readonly before: Held | undefined;
  readonly after: Held | undefined;
  readonly why: string;
}

/** Larger files are neither hashed nor kept. */
export const MAX_FILE = 16 * 1024 * 1024;
/** Most entries of one protected directory; what is beyond counts as one entry of kind `other`. */
const MAX_ENTRIES = 20_000;

/** Bytes that a snapshot read, for whoever keeps them. */
export type Keep = (hash: string, bytes: Uint8Array<ArrayBuffer>) => void;

/** Looks at protected paths. Files that look as they did in `before` are not read again. */
export function takeSnapshot(
  watched: readonly Watched[],
  before: Snapshot = {},
  keep: Keep = () => {},
): Snapshot {
  const found: Record<string, Held> = {};
  for (const { path, tree } of watched) {
    look(path, { tree, found, before, keep });
  }
  return found;
}

interface Look {
  readonly tree: boolean;
  readonly found: Record<string, Held>;
  readonly before: Snapshot;
  readonly keep: Keep;
}

function look(path: AbsPath, context: Look): void {
  const { found, tree } = context;
  if (Object.hasOwn(found, path) && found[path]!.kind !== "directory") return;
  const info = unlessDenied(() => markOf(path));
  if (info === undefined) return;
  if (Object.keys(found).length >= MAX_ENTRIES) {
    found[path] = { kind: "other" };
    return;
  }
  found[path] = heldAt(path, info, context);
  if (!tree || info.kind !== "directory") return;
  const entries = unlessDenied(() => readNames(path));
  // What cannot be listed may hold anything.
  if (entries === undefined) found[path] = { kind: "other" };
  for (const { name, isText } of entries?.sort(byName) ?? []) {
    if (isText) look(join(path, name), context);
    else found[join(path, name)] = { kind: "other" };
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }) {
  return a.name < b.name ? -1 : 1;
}

function heldAt(path: AbsPath, info: Mark, context: Look): Held {
  switch (info.kind) {
    case "directory": {
      const mark = context.tree ? { mark: markText(info) } : {};
      return { kind: "directory", mode: info.mode, ...mark };
    }
    case "symlink":
      return {
        kind: "symlink",
        target: readLink(path) ?? "",
        mark: markText(info),
      };
    case "other":
      return { kind: "other" };
    case "file":
      return fileAt(path, info, context);
  }
}

function fileAt(path: AbsPath, info: Mark, { before, keep }: Look): Held {
  const mark = markText(info);
  const file = { kind: "file", mode: info.mode, mark } as const;
  const known = Object.hasOwn(before, path) ? before[path] : undefined;
  if (known?.kind === "file" && mark !== "" && known.mark === mark) {
    return { ...file, hash: known.hash };
  }
  if (info.size > MAX_FILE) {
    return { ...file, mark: marksOf(info).join(":"), hash: undefined };
  }
  const bytes = bytesAt(path);
  if (bytes === undefined) return { kind: "other" };
  const hash = sha256Hex(bytes);
  keep(hash, bytes);
  return { ...file, hash };
}

/** What a file holds; undefined when something else is there, or it may not be read. Another session may change it meanwhile. */
export function bytesAt(path: AbsPath): Uint8Array<ArrayBuffer> | undefined {
  try {
    return readForeign(path, { maxBytes: MAX_FILE });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
    return undefined;
  }
}

/** What changes with every change: inode, size, last write, last change of anything. */
export function marksOf({ ino, size, mtime, ctime }: Mark): number[] {
  return [ino, size, mtime, ctime];
}

/** The kernel takes the time of a change from a clock that may be some milliseconds late. */
export const CLOCK_LAG_MS = 20;

function markText(info: Mark): string {
  const isRecent = info.ctime >= (epochMs() - CLOCK_LAG_MS) * 1000;
  return isRecent ? "" : marksOf(info).join(":");
}

/** What differs between two snapshots, sorted by path. */
export function compareSnapshots(
  before: Snapshot,
  after: Snapshot,
  watched: readonly Watched[],
): Change[] {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return paths.sort().flatMap((text): Change[] => {
    const path = text as AbsPath;
    const [old, now] = [held(before, path), held(after, path)];
    const change = changeOf(old, now);
    if (change === undefined) return [];
    return [{
      path,
      change,
      before: old,
      after: now,
      why: whyOf(path, watched),
    }];
  });
}

function held(snapshot: Snapshot, path: string): Held | undefined {
  return Object.hasOwn(snapshot, path) ? snapshot[path] : undefined;
}

function changeOf(
  before: Held | undefined,
  after: Held | undefined,
): Change["change"] | undefined {
  if (before === undefined) return after === undefined ? undefined : "created";
  if (after === undefined) return "deleted";
  if (before.kind !== after.kind) return "kind";
  if (before.kind === "symlink" && after.kind === "symlink") {
    return before.target === after.target ? undefined : "target";
  }
  if (before.kind === "file" && after.kind === "file") {
    const isSame = before.hash === undefined
      ? before.mark === after.mark
      : before.hash === after.hash;
    if (!isSame) return "content";
  }
  const modes = [before, after].map((entry) =>
    "mode" in entry ? entry.mode : 0
  );
  return modes[0] === modes[1] ? undefined : "mode";
}

/** What was changed in between and is as it was, sorted: files that were written, directories in which something came and went. */
export function touchedBetween(before: Snapshot, after: Snapshot): AbsPath[] {
  const changed = new Set(
    compareSnapshots(before, after, []).map(({ path }) => parent(path)),
  );
  return Object.keys(before).sort().flatMap((text) => {
    const path = text as AbsPath;
    const [old, now] = [before[path]!, held(after, path)];
    if (now === undefined || changeOf(old, now) !== undefined) return [];
    const marks = [old, now].map((entry) =>
      "mark" in entry ? entry.mark : undefined
    );
    return marks[0] && marks[1] !== undefined && marks[0] !== marks[1] &&
        !changed.has(path)
      ? [path]
      : [];
  });
}

function whyOf(path: string, watched: readonly Watched[]): string {
  const holders = watched.filter((entry) =>
    entry.path === path || (entry.tree && path.startsWith(entry.path + "/"))
  );
  return holders.at(-1)?.why ?? basename(path);
}
