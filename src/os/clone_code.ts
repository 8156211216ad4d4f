/**
 * Machine code that makes system calls from a list, one after the other. In a child that it starts: what posix_spawn does
 * with a fixed list; forking is no way, since a copy of this process without its threads cannot run a line of TypeScript.
 * Or right here: many calls then cost little more than one. The texts that it was assembled from, and a test that it is
 * so, are in tests/enforcement/assembly.
 */
import { ARCHITECTURE } from "./architecture.ts";
import { rareFunction } from "./libc.ts";
import type { Architecture } from "./syscall_numbers.ts";

/** By machine, in hexadecimal digits. */
export const CLONE_CODE: Readonly<Record<Architecture, string>> = {
  ["x86_64"]: "53554889fb488b3b4885ff741631f631d24531d24531c0b8380000000f05" +
    "4885c07564488b6b08483b6b187440488b4500488b7d08488b7510488b55184c8b55204c" +
    "8b45284c8b4d300f05488945384885c0780e488b4d488901488b4d508901eb1d48837d40" +
    "00751648896b1048833b007412bf7f000000b8e70000000f054883c558eba231c05d5bc3",
  aarch64: "f353bfa9f30300aa600240f9000100b4e1031faae2031faae3031faae403" +
    "1faa881b80d2010000d4600300b5740640f9680e40f99f0208ebe0010054880240f98086" +
    "40a9828e41a9849642a9010000d4801e00f9a000f8b7818a44a9200000b9400000b90900" +
    "0014812240f9e10000b5740a00f9610240f9c10000b4e00f80d2c80b80d2010000d49462" +
    "0191e9ffff17e0031faaf353c1a8c0035fd6",
};

/**
 * Takes the list: four words, which are flags for clone() or 0, the addresses of the first step, of the one that failed
 * and of the end, then the steps. Returns the child's process id, or the negative errno; 0 when it was run here.
 */
export type CloneCall = (list: Uint8Array<ArrayBuffer>) => number;

/** One word of the list. */
export const WORD = 8;
/** Size of what stands before the steps. */
export const HEADER_BYTES = 4 * WORD;
/** Number, six arguments, result, whether it may fail, two addresses that the result is written to. */
export const STEP_BYTES = 11 * WORD;
/** Where the result stands in a step. */
export const RESULT_AT = 7 * WORD;

/** What memory is handed out in; on machines with larger pages a call fails that is made with it, and nothing else. */
export const PAGE = 4096;
const SIZE = BigInt(PAGE);
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;

let loaded: { readonly call: CloneCall; readonly address: number } | undefined;

/** The code as a function; undefined where memory may not be made executable. */
export function cloneCall(): CloneCall | undefined {
  loaded ??= load();
  return loaded?.call;
}

/** Where the code lies, once it was called. */
export function codeAddress(): number | undefined {
  return loaded?.address;
}

const MMAP = {
  parameters: ["usize", "usize", "i32", "i32", "i32", "i64"],
  result: "pointer",
} as const;
const MPROTECT = {
  parameters: ["pointer", "usize", "i32"],
  result: "i32",
} as const;

function load(): typeof loaded {
  const code = Uint8Array.fromHex(CLONE_CODE[ARCHITECTURE]);
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  const pointer = rareFunction("mmap", MMAP)
    .call(0n, SIZE, PROT_READ | PROT_WRITE, flags, -1, 0n);
  const address = Number(Deno.UnsafePointer.value(pointer));
  // MAP_FAILED is -1.
  if (pointer === null || address > Number.MAX_SAFE_INTEGER) return undefined;
  const page = Deno.UnsafePointerView.getArrayBuffer(pointer, code.length);
  new Uint8Array(page).set(code);
  // Never writable and executable at once.
  const sealed = rareFunction("mprotect", MPROTECT)
    .call(pointer, SIZE, PROT_READ | PROT_EXEC);
  if (sealed < 0) return undefined;
  const call = new Deno.UnsafeFnPointer(pointer as Deno.PointerObject<never>, {
    parameters: ["buffer"],
    result: "i64",
  });
  return { call: (list) => Number(call.call(list)), address };
}
