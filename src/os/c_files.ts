/** File calls of the C library that Deno has not, or has too slow, or too coarse. Linux (glibc) and macOS. */
import { errno } from "./libc.ts";
import { ioError } from "./io_error.ts";
import { OPEN } from "./open_flags.ts";

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
  linkat: {
    parameters: ["i32", "buffer", "i32", "buffer", "i32"],
    result: "i32",
  },
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

export { OPEN };

const ENCODER = new TextEncoder();
/** PATH_MAX, and room for two paths in one call. */
const PATHS = [new Uint8Array(4096), new Uint8Array(4096)] as const;

/** `path` as a C string in one of the two buffers; undefined when it does not fit or holds a NUL. */
export function cPath(
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

/** Opens a directory, which must not be a link; undefined without the calls. The caller closes the descriptor. Throws `IO`. */
export function openDirectory(path: string): number | undefined {
  const { glibc } = openCalls();
  const text = cPath(path);
  if (!glibc || text === undefined) return undefined;
  const flags = OPEN.directory | OPEN.noFollow | OPEN.closeOnExec;
  const fd = glibc.open(text, flags, 0);
  if (fd < 0) throw refusal("open", path, errnoName());
  return fd;
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

/** Name of the error that the last call met. */
export function errnoName(): string {
  const code = errno();
  return ERRNO[code] ?? `errno ${code}`;
}

/** The `IO` error for a code of the system. */
export function refusal(action: string, path: string, code: string): unknown {
  return ioError(action, path, Object.assign(new Error(), { code }));
}
