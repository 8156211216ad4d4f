/** The C library through FFI: what Deno has no call for. Linux (glibc) and macOS. */

const COMMON = {
  execve: { parameters: ["buffer", "pointer", "pointer"], result: "i32" },
  signal: { parameters: ["i32", "usize"], result: "usize" },
  faccessat: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Where errno lies: one function per C library, of the same form. */
const GLIBC = {
  ...COMMON,
  __errno_location: { parameters: [], result: "pointer" },
  dlsym: { parameters: ["pointer", "buffer"], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

const DARWIN = {
  ...COMMON,
  __error: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

interface Libc
  extends
    Pick<Deno.DynamicLibrary<typeof COMMON>["symbols"], keyof typeof COMMON> {
  /** The thread's errno itself, as memory. */
  readonly errno: Int32Array;
  /** Where a function lies; null where there is none. Linux. */
  readonly dlsym?: (
    handle: Deno.PointerValue,
    name: Uint8Array<ArrayBuffer>,
  ) => Deno.PointerValue;
}

let opened: Libc | undefined;

/** The functions of the C library; opened once. Throws where there is none (Windows). */
export function libc(): Libc {
  opened ??= Deno.build.os === "darwin" ? openDarwin() : openGlibc();
  return opened;
}

function openGlibc(): Libc {
  const { __errno_location, ...rest } = Deno.dlopen("libc.so.6", GLIBC).symbols;
  return { ...rest, errno: errnoAt(__errno_location()) };
}

function openDarwin(): Libc {
  const { __error, ...rest } =
    Deno.dlopen("/usr/lib/libSystem.B.dylib", DARWIN).symbols;
  return { ...rest, errno: errnoAt(__error()) };
}

/**
 * A function of the C library that is seldom called; Linux. Found by its name it costs a tenth of what opening the library
 * for it does, and each call a little more. Throws where there is none of that name.
 */
export function rareFunction<const Fn extends Deno.ForeignFunction>(
  name: string,
  definition: Fn,
): Deno.UnsafeFnPointer<Fn> {
  const pointer = libc().dlsym?.(null, cString(name)) ?? null;
  if (pointer === null) throw new Error(`the C library has no ${name}`);
  return new Deno.UnsafeFnPointer(
    pointer as Deno.PointerObject<Fn>,
    definition,
  );
}

function errnoAt(location: Deno.PointerValue): Int32Array {
  if (location === null) throw new Error("errno lies nowhere");
  return new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));
}

/**
 * The calling thread's `errno`. Valid directly after a failed call. Read as memory: asking the C library where it lies is a
 * call itself, after which another value was seen about once in 500 starts.
 */
export function errno(): number {
  return libc().errno[0]!;
}

/** Flags of faccessat(2): by effective ids, and without following a last link. */
const ACCESS_FLAGS = Deno.build.os === "darwin"
  ? { effective: 0x10, noFollow: 0x20, here: -2 }
  : { effective: 0x200, noFollow: 0x100, here: -100 };

const ENOENT = 2;
const EACCES = 13;
const ENOTDIR = 20;

/**
 * Whether nothing is at `path`, found out without an exception: in a program that has just started the first exception
 * of each caller costs about a millisecond. False when something is there or it cannot be told.
 */
export function isAbsent(path: string, options: { follow: boolean }): boolean {
  if (Deno.build.os === "windows" || path.includes("\0")) return false;
  const { effective, noFollow, here } = ACCESS_FLAGS;
  const flags = effective | (options.follow ? 0 : noFollow);
  const name = cString(path);
  // Twice: taking a file that cannot be looked at for an absent one would open what has to stay shut.
  return [1, 2].every(() => {
    if (libc().faccessat(here, name, 0, flags) === 0) return false;
    const code = errno();
    return code === ENOENT || code === ENOTDIR;
  });
}

/** Whether `path` lies in a directory that is closed to this user: no program there can be run by it. */
export function isShut(path: string): boolean {
  if (Deno.build.os === "windows" || path.includes("\0")) return false;
  const { effective, here } = ACCESS_FLAGS;
  return libc().faccessat(here, cString(path), 0, effective) !== 0 &&
    errno() === EACCES;
}

/** `text` as a NUL-terminated string. Throws a TypeError when it holds a NUL. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new TypeError("NUL in a C string");
  return new TextEncoder().encode(text + "\0");
}

/** A NULL-terminated array of C strings. Keep the value alive while the pointer is used. */
export interface CStrings {
  readonly pointer: Deno.PointerValue;
  readonly keep: readonly (Uint8Array | BigUint64Array)[];
}

/** Lays out `texts` as `char *[]`. */
export function cStrings(texts: readonly string[]): CStrings {
  const strings = texts.map(cString);
  const pointers = new BigUint64Array(strings.length + 1);
  strings.forEach((bytes, i) => {
    pointers[i] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
  });
  return {
    pointer: Deno.UnsafePointer.of(pointers),
    keep: [...strings, pointers],
  };
}
