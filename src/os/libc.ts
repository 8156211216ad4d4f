/** The C library through FFI: what Deno has no call for. Linux (glibc) and macOS. */

const SYMBOLS = {
  execve: { parameters: ["buffer", "pointer", "pointer"], result: "i32" },
  signal: { parameters: ["i32", "usize"], result: "usize" },
} as const satisfies Deno.ForeignLibraryInterface;

type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let opened: Libc | undefined;

/** The functions of the C library; opened once. Throws where there is none (Windows). */
export function libc(): Libc {
  const name = Deno.build.os === "darwin"
    ? "/usr/lib/libSystem.B.dylib"
    : "libc.so.6";
  opened ??= Deno.dlopen(name, SYMBOLS).symbols;
  return opened;
}

/** The calling thread's `errno`. Valid directly after a failed call. */
export function errno(): number {
  const symbol = Deno.build.os === "darwin" ? "__error" : "__errno_location";
  const name = Deno.build.os === "darwin"
    ? "/usr/lib/libSystem.B.dylib"
    : "libc.so.6";
  const library = Deno.dlopen(name, {
    [symbol]: { parameters: [], result: "pointer" },
  });
  const location = library.symbols[symbol]!() as Deno.PointerValue;
  return location === null
    ? 0
    : new Deno.UnsafePointerView(location).getInt32();
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
