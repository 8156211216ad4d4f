/**
 * Calls for trees of many files, where Deno has none, or one that is too slow or too coarse: it tells the time of the
 * last change in whole seconds, and before 2.9 it leaves out names that are not UTF-8. Linux (glibc) and macOS through
 * FFI, a single call for each entry.
 */
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import { errno } from "./libc.ts";
import { ioError, osCode, withIo } from "./io_error.ts";

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

/** One name in a directory. */
export interface Name {
  readonly name: string;
  readonly kind: EntryKind;
  /** False when the bytes are not UTF-8: then `name` only resembles them and opens nothing. */
  readonly isText: boolean;
}

const GLIBC = {
  statx: {
    parameters: ["i32", "buffer", "i32", "u32", "buffer"],
    result: "i32",
    optional: true,
  },
  getdents64: {
    parameters: ["i32", "buffer", "usize"],
    result: "isize",
    optional: true,
  },
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  link: { parameters: ["buffer", "buffer"], result: "i32" },
  ioctl: { parameters: ["i32", "usize", "usize"], result: "i32" },
  syncfs: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** On Intel the plain name is the call with 32-bit inodes. */
const DARWIN = {
  lstat: {
    name: Deno.build.arch === "x86_64" ? "lstat$INODE64" : "lstat",
    parameters: ["buffer", "buffer"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

type Glibc = Deno.DynamicLibrary<typeof GLIBC>["symbols"];
type Darwin = Deno.DynamicLibrary<typeof DARWIN>["symbols"];

let opened: { glibc?: Glibc; darwin?: Darwin } | undefined;

/** Opens the C library once. Tests do it beforehand: Deno 2.7 takes it for a leak. */
export function openCalls(): { glibc?: Glibc; darwin?: Darwin } {
  opened ??= openLibrary();
  return opened;
}

function openLibrary(): { glibc?: Glibc; darwin?: Darwin } {
  if (Deno.build.os === "linux") {
    return { glibc: Deno.dlopen("libc.so.6", GLIBC).symbols };
  }
  if (Deno.build.os !== "darwin") return {};
  const library = Deno.dlopen("/usr/lib/libSystem.B.dylib", DARWIN);
  return { darwin: library.symbols };
}

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const STATX_BASIC_STATS = 0x7ff;
/** O_NOFOLLOW and O_DIRECTORY differ between the architectures. */
const [O_DIRECTORY, O_NOFOLLOW] = Deno.build.arch === "aarch64"
  ? [0x4000, 0x8000] as const
  : [0x10000, 0x20000] as const;
const O_CLOEXEC = 0x80000;
const O_CREATE_NEW = 0x1 | 0x40 | 0x80;
const FICLONE = 0x40049409n;

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true });
/** PATH_MAX, and room for two paths in one call. */
const PATHS = [new Uint8Array(4096), new Uint8Array(4096)] as const;
const FACTS = new Uint8Array(256);
const FACTS_VIEW = new DataView(FACTS.buffer);
const LISTING = new Uint8Array(64 * 1024);
const LISTING_VIEW = new DataView(LISTING.buffer);

/** `path` as a C string in one of the two buffers; undefined when it does not fit or holds a NUL. */
function cPath(
  path: string,
  buffer: 0 | 1 = 0,
): Uint8Array<ArrayBuffer> | undefined {
  const bytes = PATHS[buffer];
  const { read, written } = ENCODER.encodeInto(path, bytes);
  if (read < path.length || written >= bytes.length || path.includes("\0")) {
    return undefined;
  }
  bytes[written] = 0;
  return bytes;
}

/** Facts about `path` itself; undefined when nothing is there. Throws `IO`. */
export function markOf(path: string): Mark | undefined {
  const { glibc, darwin } = openCalls();
  const text = cPath(path);
  if (text !== undefined && glibc?.statx) {
    const result = glibc.statx(
      AT_FDCWD,
      text,
      AT_SYMLINK_NOFOLLOW,
      STATX_BASIC_STATS,
      FACTS,
    );
    if (result === 0) return decodeStatx(FACTS_VIEW);
  } else if (text !== undefined && darwin) {
    if (darwin.lstat(text, FACTS) === 0) return decodeDarwinStat(FACTS_VIEW);
  }
  // Without the calls, or to get an error with a name.
  return slowMark(path);
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

function microseconds(seconds: number, nanoseconds: number): number {
  return seconds * 1e6 + Math.floor(nanoseconds / 1000);
}

/** By the type bits of `st_mode`; 0 (Windows) leaves it to `info`. */
function kindOf(
  type: number,
  info?: { isFile: boolean; isDirectory: boolean; isSymlink: boolean },
): EntryKind {
  if (type === 0o10 || info?.isFile) return "file";
  if (type === 0o04 || info?.isDirectory) return "directory";
  return type === 0o12 || info?.isSymlink ? "symlink" : "other";
}

/**
 * The names in a directory in no order, at most `limit` + 1 of them. A link to a directory is refused. Throws `IO`.
 */
export function readNames(path: string, limit = Infinity): Name[] {
  const { glibc } = openCalls();
  const text = cPath(path);
  if (!glibc?.getdents64 || text === undefined) return slowNames(path, limit);
  const flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const fd = glibc.open(text, flags, 0);
  if (fd < 0) throw systemError("list", path);
  try {
    const names: Name[] = [];
    while (names.length <= limit) {
      const count = Number(
        glibc.getdents64(fd, LISTING, BigInt(LISTING.length)),
      );
      if (count < 0) throw systemError("list", path);
      if (count === 0) break;
      decodeListing(count, path, names);
    }
    return names.slice(0, limit + 1);
  } finally {
    glibc.close(fd);
  }
}

/** Reads `struct linux_dirent64`: inode (8 bytes), offset (8), length (2), type (1), name. */
function decodeListing(count: number, path: string, names: Name[]): void {
  for (let at = 0; at < count; at += LISTING_VIEW.getUint16(at + 16, true)) {
    const end = LISTING.indexOf(0, at + 19);
    const { name, isText } = decodeName(LISTING.subarray(at + 19, end));
    if (name === "." || name === "..") continue;
    const type = LISTING[at + 18]!;
    // Some file systems do not tell.
    const kind = type === 0 && isText
      ? markOf(`${path}/${name}`)?.kind ?? "other"
      : kindOf(type);
    names.push({ name, kind, isText });
  }
}

function decodeName(bytes: Uint8Array): Pick<Name, "name" | "isText"> {
  try {
    return { name: DECODER.decode(bytes), isText: true };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { name: new TextDecoder().decode(bytes), isText: false };
  }
}

function slowNames(path: string, limit: number): Name[] {
  if (markOf(path)?.kind === "symlink") {
    throw new AppError("IO", `Cannot list ${quote(path)}: it is a link`);
  }
  return withIo("list", path, () => {
    const names: Name[] = [];
    for (const entry of Deno.readDirSync(path)) {
      names.push({ name: entry.name, kind: kindOf(0, entry), isText: true });
      if (names.length > limit) break;
    }
    return names;
  });
}

/** Gives a file a second name. Returns the system's code when it refuses (`EXDEV`, `EMLINK`, …). */
export function tryLink(from: string, to: string): string | undefined {
  const { glibc } = openCalls();
  const [a, b] = [cPath(from, 0), cPath(to, 1)];
  if (glibc && a && b && glibc.link(a, b) === 0) return undefined;
  return codeOf(() => Deno.linkSync(from, to));
}

/**
 * Makes `to` a copy that shares its blocks with `from` (reflink). Returns the system's code, and leaves nothing, when it
 * cannot. On macOS a plain copy does it wherever the file system can.
 */
export function tryClone(
  from: string,
  to: string,
  mode: number,
): string | undefined {
  const { glibc } = openCalls();
  if (Deno.build.os === "darwin") {
    return codeOf(() => Deno.copyFileSync(from, to)) ??
      codeOf(() => Deno.chmodSync(to, mode));
  }
  const [a, b] = [cPath(from, 0), cPath(to, 1)];
  if (!glibc || !a || !b) return "ENOTSUP";
  const source = glibc.open(a, O_NOFOLLOW | O_CLOEXEC, 0);
  if (source < 0) return errnoName();
  const target = glibc.open(b, O_CREATE_NEW | O_NOFOLLOW | O_CLOEXEC, mode);
  let code = target < 0 ? errnoName() : undefined;
  if (target >= 0) {
    const result = glibc.ioctl(target, FICLONE, BigInt(source));
    if (result !== 0) {
      code = errnoName();
      Deno.removeSync(to);
    }
    glibc.close(target);
  }
  glibc.close(source);
  return code;
}

function codeOf(operation: () => void): string | undefined {
  try {
    operation();
    return undefined;
  } catch (error) {
    const code = osCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

/** Waits until everything on the file system of `dir` is on the disk. Nothing where there is no such call. Throws `IO`. */
export function syncFileSystem(dir: string): void {
  const { glibc } = openCalls();
  const text = cPath(dir);
  if (!glibc || text === undefined) return;
  const fd = glibc.open(text, O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) throw systemError("open", dir);
  try {
    if (glibc.syncfs(fd) !== 0) throw systemError("sync", dir);
  } finally {
    glibc.close(fd);
  }
}

/** Errors of Linux that these calls meet. */
const ERRNO: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  5: "EIO",
  13: "EACCES",
  17: "EEXIST",
  18: "EXDEV",
  20: "ENOTDIR",
  22: "EINVAL",
  24: "EMFILE",
  25: "ENOTTY",
  28: "ENOSPC",
  30: "EROFS",
  31: "EMLINK",
  36: "ENAMETOOLONG",
  40: "ELOOP",
  95: "EOPNOTSUPP",
  122: "EDQUOT",
};

function errnoName(): string {
  const code = errno();
  return ERRNO[code] ?? `errno ${code}`;
}

function systemError(action: string, path: string): unknown {
  const error = Object.assign(new Error(), { code: errnoName() });
  return ioError(action, path, error);
}
