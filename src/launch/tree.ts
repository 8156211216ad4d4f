/** Trees of plugin and skill files: listed, marked, copied. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, isWithin, join, parent } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { EXCLUDED_NAMES } from "../base/tree_names.ts";
import {
  copyFile,
  ensureDir,
  lstat,
  makeDir,
  readDir,
  readLink,
  symlink,
} from "../os/fs.ts";
import { sha256Hex, sha256OfFile } from "../os/hash.ts";

/** One entry of a tree, by its path relative to the root, `/`-separated. */
export interface TreeEntry {
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink";
  readonly executable: boolean;
  /** Bytes; 0 for anything but a file. */
  readonly size: number;
  /** Target of a symbolic link. */
  readonly target: string;
  /** Identity and times of a file: changes when it is written, replaced or touched. */
  readonly mark: string;
}

const MAX_ENTRIES = 20_000;
const MAX_BYTES = 512 * 1024 * 1024;

/** Lists a tree, sorted. Refuses, by name, everything but plain files, directories and links that stay inside. Throws `CONTENT_INVALID`. */
export function scanTree(root: AbsPath): TreeEntry[] {
  const out: TreeEntry[] = [];
  let bytes = 0;
  function walk(dir: AbsPath, prefix: string): void {
    for (const { name } of readDir(dir) ?? []) {
      if (EXCLUDED_NAMES.has(name)) continue;
      const entry = scanEntry(root, prefix + name);
      out.push(entry);
      bytes += entry.size;
      if (out.length > MAX_ENTRIES) {
        refuse(root, `it has more than ${MAX_ENTRIES} entries`);
      }
      if (bytes > MAX_BYTES) {
        refuse(root, `it has more than ${MAX_BYTES} bytes`);
      }
      if (entry.kind === "directory") {
        walk(join(dir, name), `${prefix}${name}/`);
      }
    }
  }
  walk(root, "");
  return out;
}

function scanEntry(root: AbsPath, path: string): TreeEntry {
  const full = join(root, path);
  const info = lstat(full);
  if (info === undefined) {
    refuse(root, `${quote(path)} vanished while it was read`);
  }
  if (info.kind === "other") {
    refuse(root, `${quote(path)} is neither a file nor a directory`);
  }
  const target = info.kind === "symlink" ? readLink(full) ?? "" : "";
  if (info.kind === "symlink" && !staysInside(root, full, target)) {
    refuse(root, `the link ${quote(path)} leads out of it`);
  }
  return {
    path,
    kind: info.kind,
    executable: info.kind === "file" && (info.mode & 0o111) !== 0,
    size: info.kind === "file" ? info.size : 0,
    target,
    mark: info.kind === "file"
      ? `${info.dev}:${info.ino}:${info.mtime}:${info.ctime}`
      : "",
  };
}

function staysInside(root: AbsPath, link: AbsPath, target: string): boolean {
  return !target.startsWith("/") && isWithin(join(link, "..", target), root);
}

function refuse(root: AbsPath, state: string): never {
  throw new AppError(
    "CONTENT_INVALID",
    `Cannot use the files in ${quote(root)}: ${state}`,
  );
}

/** 16 hexadecimal digits that change whenever something in the tree is written, replaced, added or removed. */
export function treeFingerprint(
  name: string,
  entries: readonly TreeEntry[],
): string {
  return sha256Hex(JSON.stringify([name, entries])).slice(0, 16);
}

/** What a tree holds, whatever its files look like on disk. */
export interface TreeContent {
  /** SHA-256 over names, kinds, executable bits, contents and link targets. */
  readonly hash: string;
  /** Path → what stands there. */
  readonly files: Readonly<Record<string, string>>;
}

/** Reads every file of a tree. Two trees that differ in anything that a copy keeps have different hashes. Throws `IO`. */
export function readTree(
  root: AbsPath,
  entries: readonly TreeEntry[],
): TreeContent {
  const pairs = entries.map((entry) =>
    [entry.path, contentOf(root, entry)] as const
  );
  return {
    hash: sha256Hex(JSON.stringify(pairs)),
    files: Object.fromEntries(pairs),
  };
}

function contentOf(root: AbsPath, entry: TreeEntry): string {
  if (entry.kind === "directory") return "directory";
  if (entry.kind === "symlink") return `link to ${entry.target}`;
  const kind = entry.executable ? "program" : "file";
  return `${kind} ${sha256OfFile(join(root, entry.path))}`;
}

/** Copies the listed entries from `source` to `target`, which must not exist. Modes 0700 and 0600, executables 0700. */
export function copyTree(
  source: AbsPath,
  target: AbsPath,
  entries: readonly TreeEntry[],
): void {
  ensureDir(parent(target));
  makeDir(target);
  for (const entry of entries) {
    const to = join(target, entry.path);
    if (entry.kind === "directory") makeDir(to);
    else if (entry.kind === "symlink") symlink(to, entry.target);
    else {copyFile(
        join(source, entry.path),
        to,
        entry.executable ? 0o700 : 0o600,
      );}
  }
}
