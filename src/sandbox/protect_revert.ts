/** Taking changes of protected files back: what is there now goes into a quarantine, what was there comes out of the snapshot. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join, parent } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import {
  chmod,
  ensureDir,
  lstat,
  makeDir,
  randomHex,
  readBytes,
  readDir,
  readLink,
  realPath,
  removeFile,
  removeTree,
  symlink,
  writeAtomic,
  writeNew,
} from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import { bytesAt, type Change, type Held } from "./protect.ts";
import { settleChanges } from "./protect_record.ts";
import { blobAt, type ProtectPlace } from "./protect_store.ts";

/** What became of the changes. */
export interface Reverted {
  readonly reverted: readonly Change[];
  /** What has no snapshot and is left to the user. */
  readonly left: readonly Change[];
  /** Where what was taken back lies now; undefined when nothing had to be kept. */
  readonly quarantine: AbsPath | undefined;
}

/** Takes all changes of a project back. Throws `ENV_BUSY` while an agent runs there, and `CONTENT_INVALID` before anything is touched when something cannot be restored. */
export async function revertChanges(place: ProtectPlace): Promise<Reverted> {
  const done = await settleChanges(place, (all) => {
    const changes = all.filter(({ change }) => change !== "nested");
    const left = all.filter(({ change }) => change === "nested");
    for (const change of changes) checkRestorable(change, place);
    checkWays(changes.map(({ path }) => path));
    return changes.length === 0
      ? { reverted: [], left, quarantine: undefined }
      : { ...revertAll(changes, place), left };
  });
  return done ?? { reverted: [], left: [], quarantine: undefined };
}

function revertAll(
  changes: readonly Change[],
  { dir }: ProtectPlace,
): Omit<Reverted, "left"> {
  const quarantine = join(dir, "quarantine", randomHex(12));
  const keep = new Quarantine(quarantine);
  // From the leaves up: a directory that appeared is empty when its turn comes.
  for (const change of changes.toReversed()) clear(change, keep);
  for (const change of changes) restore(change, dir);
  return { reverted: changes, quarantine: keep.finish() };
}

/** What was taken away, by number: names of the project are not made anew here. */
class Quarantine {
  readonly #dir: AbsPath;
  readonly #index: { path: string; file: string }[] = [];

  constructor(dir: AbsPath) {
    this.#dir = dir;
  }

  /** Keeps a copy of a file's bytes or of where a link led. */
  add(path: AbsPath): void {
    const info = lstat(path);
    if (info === undefined || info.kind === "other") return;
    const data = info.kind === "file"
      ? bytesAt(path)
      : `-> ${readLink(path) ?? ""}\n`;
    if (data === undefined) return;
    ensureDir(this.#dir);
    const file = String(this.#index.length + 1);
    writeNew(join(this.#dir, file), data);
    this.#index.push({ path, file });
  }

  finish(): AbsPath | undefined {
    if (this.#index.length === 0) return undefined;
    const index = JSON.stringify(this.#index, null, 2);
    writeAtomic(join(this.#dir, "index.json"), index + "\n");
    return this.#dir;
  }
}

/** Takes away what is there now, unless it only has to be changed in its place. */
function clear({ path, change, before }: Change, keep: Quarantine): void {
  if (change === "deleted" || change === "mode") return;
  const info = lstat(path);
  if (info === undefined) return;
  if (info.kind !== "directory") {
    keep.add(path);
    removeFile(path);
    return;
  }
  if (before?.kind === "directory") return;
  keepTree(path, keep);
  removeTree(path);
}

function keepTree(dir: AbsPath, keep: Quarantine): void {
  for (const { name, kind } of readDir(dir) ?? []) {
    const path = join(dir, name);
    if (kind === "directory") keepTree(path, keep);
    else keep.add(path);
  }
}

function restore({ path, before }: Change, dir: AbsPath): void {
  switch (before?.kind) {
    case undefined:
    case "other":
      return;
    case "directory":
      makeDir(path, { mayExist: true });
      chmod(path, before.mode);
      return;
    case "symlink":
      if (lstat(path) === undefined) symlink(path, before.target);
      return;
    case "file":
      if (lstat(path) === undefined) writeNew(path, contents(before, dir));
      chmod(path, before.mode);
  }
}

function contents(held: Held, dir: AbsPath): Uint8Array<ArrayBuffer> {
  const hash = held.kind === "file" ? held.hash : undefined;
  const blob = blobAt(dir, hash);
  const bytes = blob === undefined ? undefined : readBytes(blob);
  if (bytes !== undefined && sha256Hex(bytes) === hash) return bytes;
  throw new AppError(
    "CONTENT_INVALID",
    "Cannot restore a protected file: its former contents were not kept",
  );
}

function checkRestorable(
  { path, change, before }: Change,
  { dir }: ProtectPlace,
): void {
  if (before?.kind === "other") throw lost(path, "it was no file or directory");
  if (before?.kind !== "file" || change === "mode") return;
  if (blobAt(dir, before.hash) === undefined) {
    throw lost(path, "its former contents were not kept");
  }
}

function lost(path: AbsPath, state: string): AppError {
  return new AppError(
    "CONTENT_INVALID",
    `Cannot restore ${quote(path)}: ${state}`,
    { hint: "Mend it by hand, then: aenv sandbox review --accept" },
  );
}

/** The agent may have put a link in the place of a directory on the way: what is restored must not land elsewhere. Directories that are restored themselves come first and need no check. */
function checkWays(paths: readonly AbsPath[]): void {
  const changed = new Set(paths);
  for (const path of paths) {
    let dir = parent(path);
    while (changed.has(dir) || lstat(dir) === undefined) dir = parent(dir);
    if (realPath(dir) === dir && lstat(dir)?.kind === "directory") continue;
    throw lost(path, `${dir} is not the directory that it was`);
  }
}
