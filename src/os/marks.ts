/** Facts about entries, to the microsecond and in one call each: Deno tells the time of the last change in whole seconds. */
import { cPath, openCalls, openDirectory } from "./c_files.ts";
import { errno } from "./libc.ts";
import { ioError, osCode } from "./io_error.ts";
import { tryLink } from "./links.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const STATX_BASIC_STATS = 0x7ff;
const ENOENT = 2;
const ENOTDIR = 20;

const FACTS = new Uint8Array(256);
const FACTS_VIEW = new DataView(FACTS.buffer);

/** What the system knows of an entry; a symbolic link is not followed. */
export interface Mark {
  readonly kind: EntryKind;
  /** Permission bits with set-id and sticky. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  /** Names that the file has. */
  readonly links: number;
  readonly ino: number;
  /** Last write, microseconds since the epoch. */
  readonly mtime: number;
  /** Last change of contents or attributes, microseconds: no process can set it. 0 where the system has none (Windows). */
  readonly ctime: number;
}

/** Kinds of entries; `other` is a device, pipe or socket. */
export type EntryKind = "file" | "directory" | "symlink" | "other";

/** Facts about `path` itself; undefined when nothing is there. Throws `IO`. */
export function markOf(path: string): Mark | undefined {
  const { glibc, darwin } = openCalls();
  if (darwin) {
    const text = cPath(path);
    const isFound = text !== undefined && darwin.lstat(text, FACTS) === 0;
    if (isFound) return decodeDarwinStat(FACTS_VIEW);
  }
  const mark = glibc && statx(AT_FDCWD, path);
  return mark === null ? undefined : mark ?? slowMark(path);
}

/** Null when nothing is there; undefined when it cannot be told: Deno finds a name for the error. */
function statx(directory: number, path: string): Mark | null | undefined {
  const text = cPath(path);
  const call = openCalls().glibc?.statx;
  if (text === undefined || !call) return undefined;
  const flags = AT_SYMLINK_NOFOLLOW;
  const result = call(directory, text, flags, STATX_BASIC_STATS, FACTS);
  if (result === 0) return decodeStatx(FACTS_VIEW);
  const code = errno();
  return code === ENOENT || code === ENOTDIR ? null : undefined;
}

function slowMark(path: string): Mark | undefined {
  try {
    const info = Deno.lstatSync(path);
    return {
      kind: kindOf((info.mode ?? 0) >> 12, info),
      mode: (info.mode ?? 0) & 0o7777,
      size: info.size,
      links: info.nlink ?? 1,
      ino: info.ino ?? 0,
      mtime: (info.mtime?.getTime() ?? 0) * 1000,
      ctime: (info.ctime?.getTime() ?? 0) * 1000,
    };
  } catch (error) {
    const code = osCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw ioError("look at", path, error);
  }
}

/** Reads `struct statx` of Linux. */
export function decodeStatx(view: DataView): Mark {
  const mode = view.getUint16(28, true);
  return {
    kind: kindOf(mode >> 12),
    mode: mode & 0o7777,
    size: number64(view, 40),
    links: view.getUint32(16, true),
    ino: number64(view, 32),
    mtime: microseconds(number64(view, 112), view.getUint32(120, true)),
    ctime: microseconds(number64(view, 96), view.getUint32(104, true)),
  };
}

/** Reads `struct stat` of macOS with 64-bit inodes. */
export function decodeDarwinStat(view: DataView): Mark {
  const mode = view.getUint16(4, true);
  return {
    kind: kindOf(mode >> 12),
    mode: mode & 0o7777,
    size: number64(view, 96),
    links: view.getUint16(6, true),
    ino: number64(view, 8),
    mtime: microseconds(number64(view, 48), number64(view, 56)),
    ctime: microseconds(number64(view, 64), number64(view, 72)),
  };
}

function number64(view: DataView, offset: number): number {
  return view.getInt32(offset + 4, true) * 2 ** 32 +
    view.getUint32(offset, true);
}

/** By the type bits of `st_mode`; 0 (Windows) leaves it to `info`. */
export function kindOf(
  type: number,
  info?: { isFile: boolean; isDirectory: boolean; isSymlink: boolean },
): EntryKind {
  if (type === 0o10 || info?.isFile) return "file";
  if (type === 0o04 || info?.isDirectory) return "directory";
  return type === 0o12 || info?.isSymlink ? "symlink" : "other";
}

function microseconds(seconds: number, nanoseconds: number): number {
  return seconds * 1e6 + Math.floor(nanoseconds / 1000);
}

/**
 * A directory that is held open: the system need not look up its path for each entry, which is most of the work in a tree
 * of small files. Names below may have several parts.
 */
export class OpenDirectory implements Disposable {
  readonly #path: string;
  readonly #fd: number | undefined;

  /** Throws `IO`. */
  constructor(path: string) {
    this.#path = path;
    this.#fd = openDirectory(path);
  }

  /** As {@link markOf}. */
  markOf(name: string): Mark | undefined {
    const mark = this.#fd === undefined ? undefined : statx(this.#fd, name);
    if (mark === null) return undefined;
    return mark ?? markOf(`${this.#path}/${name}`);
  }

  /** As {@link tryLink}: gives the file `name` a second name in another directory. */
  tryLink(name: string, to: OpenDirectory, toName: string): string | undefined {
    const call = openCalls().glibc?.linkat;
    const [a, b] = [cPath(name, 0), cPath(toName, 1)];
    const isLinked = call && a && b && this.#fd !== undefined &&
      to.#fd !== undefined &&
      call(this.#fd, a, to.#fd, b, 0) === 0;
    return isLinked
      ? undefined
      : tryLink(`${this.#path}/${name}`, `${to.#path}/${toName}`);
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) openCalls().glibc?.close(this.#fd);
  }
}
