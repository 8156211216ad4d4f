/** What is at a path, put into words that can be compared later. */
import { type AbsPath, basename, join, parent } from "../base/paths.ts";
import {
  lstat,
  readBytes,
  readDir,
  readLink,
  realPath,
  removeFile,
  rename,
  symlink,
  syncDir,
  writeSynced,
} from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import type { Thing } from "./types.ts";

/** What is at `path` now; links are not followed. */
export function thingAt(path: AbsPath): Thing {
  const info = lstat(path);
  if (info === undefined) return { kind: "missing" };
  if (info.kind === "symlink") {
    return { kind: "symlink", target: readLink(path) ?? "" };
  }
  if (info.kind !== "file") return { kind: "other" };
  const bytes = readBytes(path);
  if (bytes === undefined) return { kind: "missing" };
  return fileThing(bytes, info.mode);
}

/** The file that has these bytes and this mode. */
export function fileThing(bytes: Uint8Array, mode: number): Thing {
  return { kind: "file", sha256: sha256Hex(bytes), size: bytes.length, mode };
}

/** Whether two things are the same, modes included. */
export function isSameThing(a: Thing, b: Thing): boolean {
  if (a.kind === "file") {
    return b.kind === "file" && a.sha256 === b.sha256 && a.mode === b.mode;
  }
  if (a.kind === "symlink") {
    return b.kind === "symlink" && a.target === b.target;
  }
  return a.kind === "missing" && b.kind === "missing";
}

/** Makes `path` be `thing` in one step. `temp` is a name beside it; `bytes` are the file's, where it is one. */
export function replaceThing(
  path: AbsPath,
  thing: Thing,
  { temp, bytes }: { temp: AbsPath; bytes: Uint8Array | undefined },
): void {
  removeFile(temp);
  if (thing.kind === "missing") removeFile(path);
  else {
    if (thing.kind === "symlink") symlink(temp, thing.target);
    if (thing.kind === "file") writeSynced(temp, bytes!, thing.mode);
    rename(temp, path);
  }
  syncDir(parent(path));
}

/** `path` without links in what leads to it; undefined when that directory is not there. */
export function settlePath(path: AbsPath): AbsPath | undefined {
  const above = realPath(parent(path));
  return above && join(above, basename(path));
}

/**
 * One text for a tree: names, kinds, modes, sizes, times of change and targets. Another one means that somebody wrote into the
 * tree; contents are not read, so it costs one system call an entry. Times of directories do not count: they change by a move.
 */
export function treeMark(root: AbsPath): string {
  const lines: string[] = [];
  const open = [""];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const path = at === "" ? root : join(root, at);
    const info = lstat(path);
    if (info === undefined) continue;
    const facts = info.kind === "directory"
      ? []
      : info.kind === "symlink"
      ? [readLink(path)]
      : [info.size, info.mtime];
    lines.push(JSON.stringify([at, info.kind, info.mode, ...facts]));
    if (info.kind !== "directory") continue;
    for (const { name } of readDir(path) ?? []) {
      open.push(at === "" ? name : `${at}/${name}`);
    }
  }
  return sha256Hex(lines.sort().join("\n"));
}
