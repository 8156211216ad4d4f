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
const FACTS_32 = new Uint32Array(FACTS.buffer);

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

/** The part of a {@link Mark} that tells whether an entry was changed. */
export type Look = Pick<Mark, "ino" | "mtime" | "ctime">;

/** How entries looked. */
export interface Looks {
  /** Three for each entry: `ino`, `mtime`, `ctime`. An inode of 0 is like nothing. */
  readonly numbers: Float64Array;
  /** A change time from here to there will do as well. */
  readonly from?: number;
  readonly to?: number;
}

/** Whether the entry with this number looks as it did. Without a change time (Windows) nothing does. */
export function isLike(looks: Looks, index: number, look: Look): boolean {
  const { numbers, from = 1, to = 0 } = looks;
  const at = index * 3;
  const { ino, mtime, ctime } = look;
  return ino !== 0 && numbers[at] === ino && numbers[at + 1] === mtime &&
    ctime !== 0 &&
    (numbers[at + 2] === ctime || (from <= ctime && ctime <= to));
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
  const result = call(
    directory,
    text,
    flags,
    STATX_BASIC_STATS,
    FACTS,
  );
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

/** Names or numbers, each followed by a NUL. */
export function pathList(
  names: readonly (string | number)[],
): Uint8Array<ArrayBuffer> {
  const text = names.length === 0 ? "" : names.join("\0") + "\0";
  return new TextEncoder().encode(text);
}

/** Reads what is compared from `struct statx` in {@link FACTS}. */
function fillLook(look: { ino: number; mtime: number; ctime: number }): void {
  look.ino = FACTS_32[8]! + FACTS_32[9]! * 2 ** 32;
  look.ctime = FACTS_32[24]! * 1e6 + Math.floor(FACTS_32[26]! / 1000);
  look.mtime = FACTS_32[28]! * 1e6 + Math.floor(FACTS_32[30]! / 1000);
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

  /**
   * How many of `paths` (a {@link pathList}), up to the first that is gone or looks different, still look as in one of
   * `looks`; entry by entry in the same order.
   */
  countAlike(
    paths: Uint8Array<ArrayBuffer>,
    looks: readonly Looks[],
  ): number {
    const call = openCalls().glibc?.statx;
    const look = { ino: 0, mtime: 0, ctime: 0 };
    let index = 0;
    for (let at = 0; at < paths.length; index++) {
      const end = paths.indexOf(0, at);
      if (end < 0) break;
      if (call && this.#fd !== undefined) {
        const path = paths.subarray(at);
        const flags = AT_SYMLINK_NOFOLLOW;
        const code = call(this.#fd, path, flags, STATX_BASIC_STATS, FACTS);
        if (code !== 0) break;
        fillLook(look);
      } else {
        const mark = markOf(this.#full(paths.subarray(at, end)));
        if (mark === undefined) break;
        Object.assign(look, mark);
      }
      if (!looks.some((one) => isLike(one, index, look))) break;
      at = end + 1;
    }
    return index;
  }

  /**
   * Gives each of the files `names` a second name in another directory, the one at the same place in `toNames`; both are a
   * {@link pathList}. Stops at the first one that is refused and returns the system's code (`EXDEV`, `EMLINK`, …).
   */
  linkEach(
    names: Uint8Array<ArrayBuffer>,
    to: OpenDirectory,
    toNames: Uint8Array<ArrayBuffer>,
  ): string | undefined {
    const call = openCalls().glibc?.linkat;
    let toAt = 0;
    for (let at = 0; at < names.length;) {
      const end = names.indexOf(0, at);
      const toEnd = toNames.indexOf(0, toAt);
      if (end < 0 || toEnd < 0) return "EINVAL";
      const isLinked = call && this.#fd !== undefined && to.#fd !== undefined &&
        call(
            this.#fd,
            names.subarray(at),
            to.#fd,
            toNames.subarray(toAt),
            0,
          ) ===
          0;
      if (!isLinked) {
        const source = this.#full(names.subarray(at, end));
        const code = tryLink(source, to.#full(toNames.subarray(toAt, toEnd)));
        if (code !== undefined) return code;
      }
      at = end + 1;
      toAt = toEnd + 1;
    }
    return undefined;
  }

  #full(name: Uint8Array): string {
    return `${this.#path}/${new TextDecoder().decode(name)}`;
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) openCalls().glibc?.close(this.#fd);
  }
}
