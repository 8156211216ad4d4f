/** Calls of the C library for processes, signals, terminals and sockets. Linux (glibc) and macOS; opened when first used. */
import { AppError } from "../base/errors.ts";

/** Making a call usable takes a sixth of a millisecond, so those that are used together are opened together. */
const SPAWN = {
  posix_spawn: {
    parameters: ["buffer", "buffer", "buffer", "buffer", "pointer", "pointer"],
    result: "i32",
  },
  posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
  posix_spawn_file_actions_adddup2: {
    parameters: ["buffer", "i32", "i32"],
    result: "i32",
  },
  posix_spawn_file_actions_destroy: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_init: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_setflags: { parameters: ["buffer", "i16"], result: "i32" },
  posix_spawnattr_setsigdefault: {
    parameters: ["buffer", "buffer"],
    result: "i32",
  },
  posix_spawnattr_destroy: { parameters: ["buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const PROCESS = {
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  sigaction: { parameters: ["i32", "pointer", "buffer"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  pipe: { parameters: ["buffer"], result: "i32" },
  // Without its third argument, which is passed in another way where calls differ for it.
  ioctl: { parameters: ["i32", "usize"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const WAIT = {
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  poll: {
    parameters: ["buffer", "usize", "i32"],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

const TERMINAL = {
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  tcgetattr: { parameters: ["i32", "buffer"], result: "i32" },
  tcgetpgrp: { parameters: ["i32"], result: "i32" },
  getpgrp: { parameters: [], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const SOCKETS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept: { parameters: ["i32", "pointer", "pointer"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

const LINUX = {
  prctl: {
    parameters: ["i32", "usize", "usize", "usize", "usize"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

const DARWIN = {
  getpeereid: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

type Library = Deno.ForeignLibraryInterface;
type Symbols<T extends Library> = Deno.DynamicLibrary<T>["symbols"];
type Calls =
  & Symbols<typeof SPAWN>
  & Symbols<typeof PROCESS>
  & Symbols<typeof WAIT>
  & Symbols<typeof TERMINAL>
  & Symbols<typeof SOCKETS>;

/** The calls, and those that only one of the systems has. */
export interface ProcessCalls extends Calls {
  readonly linux?: Symbols<typeof LINUX>;
  readonly darwin?: Symbols<typeof DARWIN>;
}

let found: ProcessCalls | undefined;

/** The calls, each opened when it is first used. Throws `NOT_SUPPORTED` on Windows. */
export function processCalls(): ProcessCalls {
  found ??= findCalls();
  return found;
}

/** Opens them all. Tests do beforehand: Deno 2.7 takes a library for a leak. */
export function openProcessCalls(): void {
  const { linux, darwin, ...calls } = processCalls();
  void [Object.values(calls), linux?.prctl, darwin?.getpeereid];
}

function findCalls(): ProcessCalls {
  if (Deno.build.os === "linux") {
    const linux = whenUsed("libc.so.6", { ...PROCESS, ...LINUX });
    return Object.assign(withOthers("libc.so.6", linux), { linux });
  }
  if (Deno.build.os === "darwin") {
    const path = "/usr/lib/libSystem.B.dylib";
    const darwin = whenUsed(path, { ...PROCESS, ...DARWIN });
    return Object.assign(withOthers(path, darwin), { darwin });
  }
  throw new AppError(
    "NOT_SUPPORTED",
    "Cannot supervise programs: this system has no POSIX processes",
  );
}

function withOthers(path: string, own: Symbols<typeof PROCESS>): Calls {
  const calls = {} as Calls;
  const others = [SPAWN, WAIT, TERMINAL, SOCKETS].map((group) =>
    whenUsed<Library>(path, group)
  );
  for (const group of [own, ...others]) {
    Object.defineProperties(calls, Object.getOwnPropertyDescriptors(group));
  }
  return calls;
}

/** The calls of a library, all opened when one of them is first used. */
function whenUsed<T extends Library>(path: string, library: T): Symbols<T> {
  let opened: Symbols<T> | undefined;
  const calls = {} as Symbols<T>;
  for (const name of Object.keys(library)) {
    const get = () => (opened ??= Deno.dlopen(path, library).symbols)[name];
    Object.defineProperty(calls, name, { enumerable: true, get });
  }
  return calls;
}

const isDarwin = Deno.build.os === "darwin";

/** Numbers that the two systems do not share. */
export const SYSTEM = {
  spawnSetSession: isDarwin ? 0x400 : 0x80,
  /** The call that marks a descriptor as not to be inherited; it needs no argument. */
  closeOnExec: isDarwin ? 0x20006601 : 0x5451,
  noControllingTerminal: isDarwin ? 0x20000 : 0x100,
  closeOnExecFlag: isDarwin ? 0x1000000 : 0x80000,
  /** Where `c_lflag` lies in a termios, and its bit for keys that send signals. */
  localFlags: isDarwin ? 24 : 12,
  keysSendSignals: isDarwin ? 0x80 : 0x1,
} as const;

/** Lets no program that is started from now on inherit the descriptor. */
export function closeOnExec(fd: number): void {
  processCalls().ioctl(fd, BigInt(SYSTEM.closeOnExec));
}

/** Two ends of a new pipe, neither of them inherited by programs. */
export function makePipe(): { readonly from: number; readonly into: number } {
  const ends = new Int32Array(2);
  if (processCalls().pipe(bytesOf(ends)) !== 0) {
    throw new AppError("IO", "Cannot make a pipe: too many open files");
  }
  const [from, into] = ends as unknown as [number, number];
  closeOnExec(from);
  closeOnExec(into);
  return { from, into };
}

/** The same memory as bytes. */
export function bytesOf(numbers: ArrayBufferView<ArrayBuffer>) {
  const { buffer, byteOffset, byteLength } = numbers;
  return new Uint8Array(buffer, byteOffset, byteLength);
}
