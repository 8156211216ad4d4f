/** File descriptors of Linux as numbers: opening paths to name them, what a child inherits, closing. */
import type { Step } from "./clone.ts";
import { cString } from "./libc.ts";
import { syscall, type SyscallArgument } from "./syscall.ts";

const AT_FDCWD = -100;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const RESOLVE_NO_MAGICLINKS = 2;
const RESOLVE_NO_SYMLINKS = 4;
const AT_EMPTY_PATH = 0x1000;
const STATX_TYPE = 1;
const STATX_NLINK = 4;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const CLOSE_RANGE_CLOEXEC = 4;
const PATH_MAX = 4096;
const SLASH = 47;
const EVERY_DESCRIPTOR = 0xffffffff;

/** What a descriptor stands for. */
export interface DescriptorKind {
  readonly kind: "file" | "directory" | "socket" | "other";
  /** How many names the file has. */
  readonly links: number;
}

/**
 * Opens a real path only to name it (O_PATH): no component may be a symbolic link. The result is the descriptor; `-ELOOP`
 * when a link is on the way.
 */
export function openRealPathStep(
  path: string,
): { call: "openat2"; args: SyscallArgument[] } {
  const how = new BigUint64Array([
    BigInt(O_PATH | O_CLOEXEC),
    0n,
    BigInt(RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS),
  ]);
  const bytes = new Uint8Array(how.buffer);
  return {
    call: "openat2",
    args: [AT_FDCWD, cString(path), bytes, bytes.length],
  };
}

/**
 * Opens a path only to name it, following links, from the directory `from`. Returns the descriptor, which the caller closes,
 * or the negative errno.
 */
export function openAnyPath(
  path: Uint8Array<ArrayBuffer>,
  from = AT_FDCWD,
): number {
  return syscall("openat", from, path, O_PATH | O_CLOEXEC, 0);
}

/** What is open at `fd`; undefined when it cannot be told. */
export function describeDescriptor(fd: number): DescriptorKind | undefined {
  const facts = new Uint8Array(256);
  const mask = STATX_TYPE | STATX_NLINK;
  const result = syscall(
    "statx",
    fd,
    cString(""),
    AT_EMPTY_PATH,
    mask,
    facts,
  );
  if (result < 0) return undefined;
  const view = new DataView(facts.buffer);
  return {
    kind: KINDS[view.getUint16(28, true) & 0o170000] ?? "other",
    links: view.getUint32(16, true),
  };
}

const KINDS: Readonly<Record<number, DescriptorKind["kind"]>> = {
  0o100000: "file",
  0o040000: "directory",
  0o140000: "socket",
};

/**
 * The real path of what is open at `fd`, as its namespace has it; undefined when it has none, or one that is no text. The
 * end ` (deleted)` says that nothing is there any more.
 */
export function pathOf(fd: number): string | undefined {
  const target = new Uint8Array(PATH_MAX);
  const link = cString(`/proc/self/fd/${fd}`);
  const length = syscall("readlinkat", AT_FDCWD, link, target, PATH_MAX);
  if (length <= 0 || length === PATH_MAX || target[0] !== SLASH) {
    return undefined;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(target.subarray(0, length));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}

/** Closes a descriptor. */
export function closeDescriptor(fd: number): void {
  syscall("close", fd);
}

/** Whether calls on the descriptor return at once instead of waiting; a negative errno when it cannot be told. */
export function isNonBlocking(fd: number): boolean | number {
  const flags = syscall("fcntl", fd, F_GETFL);
  return flags < 0 ? flags : (flags & O_NONBLOCK) !== 0;
}

/** Changes what {@link isNonBlocking} tells, for everybody who shares the open file. Returns 0 or the negative errno. */
export function setNonBlocking(fd: number, nonBlocking: boolean): number {
  const flags = syscall("fcntl", fd, F_GETFL);
  if (flags < 0) return flags;
  const wanted = nonBlocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  return syscall("fcntl", fd, F_SETFL, wanted);
}

/** Keeps every descriptor from 3 on out of the program that the process becomes; until then all stay open. Linux 5.11. */
export function closeAllOnExecStep(): Step {
  return {
    call: "close_range",
    args: [3, EVERY_DESCRIPTOR, CLOSE_RANGE_CLOEXEC],
  };
}
