/** Reads a tree from the disk, judges every entry, and copies it meanwhile if wanted: what is hashed is what is copied. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import {
  byteLength,
  entryNameProblem,
  EXCLUDED_NAMES,
  foldCase,
  MAX_PATH_BYTES,
} from "../base/tree_names.ts";
import { hashFile } from "../os/file_hash.ts";
import { HAS_MODES, makeDir, readLink, symlink } from "../os/fs.ts";
import { type Mark, markOf } from "../os/marks.ts";
import { type Name, readNames } from "../os/names.ts";
import {
  compareBytes,
  type FileEntry,
  modeOf,
  type TreeEntry,
  type TreeLimits,
} from "./entries.ts";
import { checkLinks } from "./tree_links.ts";

/** How to read a tree. */
export interface ScanOptions {
  readonly limits?: TreeLimits;
  /** Paths of executable files, for systems that cannot tell (Windows); with `/`. */
  readonly executables?: ReadonlySet<string>;
}

/** What only this module asks for. */
export interface InnerScanOptions extends ScanOptions {
  /** An empty, writable directory to copy into. */
  readonly copyTo?: AbsPath;
  /** True takes what is otherwise left out: in the store nothing may be but the tree. */
  readonly all?: boolean;
}

const MAX_ENTRIES = 20_000;
const MAX_BYTES = 512 * 1024 * 1024;

/**
 * The entries of the tree at `root` in order of their paths' bytes; the root itself is none. Left out are the names in
 * {@link EXCLUDED_NAMES}. Throws `CONTENT_INVALID`, naming the entry, for everything that is no plain file, directory or
 * inner link, for names that cannot be the same on every system, and for what changes while it is read.
 */
export function scanTree(
  root: AbsPath,
  options: InnerScanOptions = {},
): TreeEntry[] {
  return new Scan(root, options).run();
}

/** One directory as it was found. */
interface Directory {
  /** Where it is on the disk. */
  readonly full: AbsPath;
  /** Its path in the tree with a slash behind it; empty for the root. */
  readonly prefix: string;
}

class Scan {
  readonly #root: AbsPath;
  readonly #options: InnerScanOptions;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #entries: TreeEntry[] = [];
  #bytes = 0;

  constructor(root: AbsPath, options: InnerScanOptions) {
    this.#root = root;
    this.#options = options;
    this.#maxEntries = options.limits?.entries ?? MAX_ENTRIES;
    this.#maxBytes = options.limits?.bytes ?? MAX_BYTES;
  }

  run(): TreeEntry[] {
    const mark = markOf(this.#root);
    if (mark?.kind !== "directory") {
      this.#refuse(mark ? "it is not a directory" : "it does not exist");
    }
    this.#walk({ full: this.#root, prefix: "" }, mark);
    const problem = checkLinks(this.#entries);
    if (problem !== undefined) this.#refuse(problem);
    return this.#entries.sort((a, b) => compareBytes(a.path, b.path));
  }

  #walk(directory: Directory, before: Mark): void {
    const left = this.#maxEntries - this.#entries.length;
    // As many as are left out may stand in each directory.
    const names = readNames(directory.full, left + EXCLUDED_NAMES.size);
    const seen = new Map<string, string>();
    for (const name of names) {
      if (!this.#options.all && EXCLUDED_NAMES.has(name.name)) continue;
      this.#addEntry(directory, name, seen);
    }
    const after = markOf(directory.full);
    if (after?.mtime !== before.mtime || after.ctime !== before.ctime) {
      this.#refuseChanged(directory.prefix.slice(0, -1) || ".");
    }
  }

  #addEntry(
    { full, prefix }: Directory,
    { name, isText }: Name,
    seen: Map<string, string>,
  ): void {
    const path = prefix + name.normalize("NFC");
    const problem = isText
      ? entryNameProblem(name)
      : "has a name that is not UTF-8";
    if (problem !== undefined) this.#refuse(`${quote(path)} ${problem}`);
    if (byteLength(path) > MAX_PATH_BYTES) {
      this.#refuse(`${quote(path)} has too long a path`);
    }
    this.#checkTwin(path, seen);
    const from = `${full}/${name}` as AbsPath;
    const mark = markOf(from);
    if (mark === undefined) this.#refuseChanged(path);
    if (mark.kind === "directory") this.#addDirectory(path, from, mark);
    else this.#add(this.#readEntry(path, from, mark));
  }

  /** Refuses a name that some file system takes for another one of the same directory. */
  #checkTwin(path: string, seen: Map<string, string>): void {
    const key = foldCase(path);
    const twin = seen.get(key);
    seen.set(key, path);
    if (twin === undefined) return;
    const how = twin === path
      ? "only in the Unicode form"
      : "only in upper and lower case";
    this.#refuse(`${quote(twin)} and ${quote(path)} differ ${how}`);
  }

  #addDirectory(path: string, full: AbsPath, mark: Mark): void {
    this.#add({ kind: "directory", path });
    const { copyTo } = this.#options;
    if (copyTo !== undefined) makeDir(join(copyTo, path));
    this.#walk({ full, prefix: path + "/" }, mark);
  }

  #readEntry(path: string, from: AbsPath, mark: Mark): TreeEntry {
    const { copyTo } = this.#options;
    if (mark.kind === "file") return this.#readFile(path, from, mark);
    if (mark.kind !== "symlink") {
      this.#refuse(`${quote(path)} is neither a file nor a directory`);
    }
    const target = readLink(from);
    if (target === undefined) this.#refuseChanged(path);
    const entry = { kind: "symlink", path, target: target.normalize("NFC") };
    if (copyTo !== undefined) symlink(join(copyTo, path), entry.target);
    return entry as TreeEntry;
  }

  #readFile(path: string, from: AbsPath, mark: Mark): FileEntry {
    const { size, mode } = mark;
    this.#bytes += size;
    if (this.#bytes > this.#maxBytes) {
      this.#refuse(`it has more than ${this.#maxBytes} bytes`);
    }
    const { copyTo, executables } = this.#options;
    const executable = HAS_MODES
      ? (mode & 0o111) !== 0
      : executables?.has(path) ?? false;
    const entry: FileEntry = {
      kind: "file",
      path,
      size,
      executable,
      sha256: "",
    };
    const to = copyTo === undefined
      ? undefined
      : { path: join(copyTo, path), mode: modeOf(entry) };
    const sha256 = hashFile(from, mark, to);
    if (sha256 === undefined) this.#refuseChanged(path);
    return { ...entry, sha256 };
  }

  #add(entry: TreeEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length > this.#maxEntries) {
      this.#refuse(`it has more than ${this.#maxEntries} entries`);
    }
  }

  #refuseChanged(path: string): never {
    this.#refuse(
      `${quote(path)} changed while it was read`,
      "Try again when nothing writes there",
    );
  }

  #refuse(state: string, hint?: string): never {
    throw new AppError(
      "CONTENT_INVALID",
      `Cannot use the files in ${quote(this.#root)}: ${state}`,
      { hint },
    );
  }
}
