/**
 * Machine code that starts a child which makes system calls from a list, one after the other: what posix_spawn does with a
 * fixed list. Forking is no way: a copy of this process without its threads cannot run a line of TypeScript. The texts
 * that it was assembled from, and a test that it is so, are in tests/enforcement/assembly.
 */
import { ARCHITECTURE, syscall } from "./syscall.ts";
import type { Architecture } from "./syscall_numbers.ts";

/** By machine, in hexadecimal digits. */
export const CLONE_CODE: Readonly<Record<Architecture, string>> = {
  ["x86_64"]: "53554889fb488b3b31f631d24531d24531c0b8380000000f054885c07556" +
    "488b6b08488b4500488b7d08488b7510488b55184c8b55204c8b45284c8b4d300f05" +
    "488945384885c0780e488b4d488901488b4d508901eb1748837d4000751048896b10" +
    "bf7f000000b8e70000000f054883c558ebae5d5bc3",
  aarch64: "f353bfa9f30300aa600240f9e1031faae2031faae3031faae4031faa881b80d2" +
    "010000d4a00200b5740640f9880240f9808640a9828e41a9849642a9010000d4801e00f9" +
    "a000f8b7818a44a9200000b9400000b907000014812240f9a10000b5740a00f9e00f80d2" +
    "c80b80d2010000d494620191eeffff17f353c1a8c0035fd6",
};

/** Takes the list; returns the child's process id, or the negative errno. */
export type CloneCall = (list: Uint8Array<ArrayBuffer>) => number;

const PAGE = 4096;
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;

let loaded: CloneCall | undefined;

/** The code as a function; undefined where memory may not be made executable. */
export function cloneCall(): CloneCall | undefined {
  loaded ??= load();
  return loaded;
}

function load(): CloneCall | undefined {
  const code = Uint8Array.fromHex(CLONE_CODE[ARCHITECTURE]);
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  const address = syscall(
    "mmap",
    0,
    PAGE,
    PROT_READ | PROT_WRITE,
    flags,
    -1,
    0,
  );
  if (address < 0) return undefined;
  const pointer = Deno.UnsafePointer.create(BigInt(address))!;
  const page = Deno.UnsafePointerView.getArrayBuffer(pointer, code.length);
  new Uint8Array(page).set(code);
  // Never writable and executable at once.
  const made = syscall("mprotect", address, PAGE, PROT_READ | PROT_EXEC);
  if (made < 0) return undefined;
  const call = new Deno.UnsafeFnPointer(pointer as Deno.PointerObject<never>, {
    parameters: ["buffer"],
    result: "i64",
  });
  return (list) => Number(call.call(list));
}
