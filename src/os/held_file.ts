/**
 * Files that show by a lock on them whether somebody still sees to them. The lock goes with the descriptor: from program to
 * program. Linux.
 */
import { CallList, placeOf } from "./call_list.ts";
import { CALL } from "./call_numbers.ts";
import { cString } from "./libc.ts";
import { OPEN } from "./open_flags.ts";

const HERE = -100;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const LOCK_EX = 2;
const LOCK_NB = 4;
const OWNER_ONLY = 0o600;
const LISTING_BYTES = 4096;

/** What {@link holdFile} made and found. */
export interface HeldFile {
  /** The descriptor that holds the file. */
  readonly fd: number;
  /** The names in its directory and its own; undefined when they are many. */
  readonly names: readonly string[] | undefined;
  /** What another file holds; undefined when it is not there, or larger than that. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
}

/** Makes an empty file with a lock on it, then lists its directory and reads another file. Undefined when it is there already, or cannot be made. */
export function holdFile(
  { dir, name, reads, maxBytes }: {
    readonly dir: string;
    readonly name: string;
    /** The path of the other file. */
    readonly reads: string;
    readonly maxBytes: number;
  },
): HeldFile | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const paths = [`${dir}/${name}`, dir, reads].map(cString);
  const [own, folder, other] = paths.map(placeOf) as [number, number, number];
  // Pages that nothing is read into are never touched.
  const bytes = new Uint8Array(maxBytes + 1);
  const [listing, more] = [0, 1].map(() => new Uint8Array(LISTING_BYTES)) as [
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>,
  ];
  const list = new CallList(8);
  const flags = O_RDWR | O_CREAT | O_EXCL | OPEN.noFollow | OPEN.closeOnExec;
  const made = list.add(CALL.openat, [HERE, own, flags, OWNER_ONLY]);
  const mode = list.add(CALL.fchmod, [-1, OWNER_ONLY]);
  list.useResult(mode, { of: made, argument: 0 });
  const lock = list.add(CALL.flock, [-1, LOCK_EX | LOCK_NB]);
  list.useResult(lock, { of: made, argument: 0, nth: 1 });
  const opened = list.add(CALL.openat, [
    ...[HERE, folder, OPEN.directory | OPEN.noFollow | OPEN.closeOnExec, 0],
  ]);
  const listed = list.add(CALL.getdents64, [
    ...[-1, placeOf(listing), LISTING_BYTES],
  ]);
  list.useResult(listed, { of: opened, argument: 0 });
  const rest = list.add(CALL.getdents64, [
    ...[-1, placeOf(more), LISTING_BYTES],
  ]);
  list.useResult(rest, { of: opened, argument: 0, nth: 1 });
  const found = list.add(CALL.openat, [
    ...[HERE, other, OPEN.noFollow | OPEN.closeOnExec, 0],
  ]);
  const read = list.add(CALL.read, [-1, placeOf(bytes), bytes.length]);
  list.useResult(read, { of: found, argument: 0 });
  const failed = list.run();
  if (failed === undefined || list.result(made) < 0) return undefined;
  closeAll([opened, found].map((index) => list.result(index)));
  const fd = list.result(made);
  if (failed === mode || failed === lock) {
    closeAll([fd]);
    return undefined;
  }
  const [count, size] = [list.result(listed), list.result(read)];
  return {
    fd,
    names: count > 0 && list.result(rest) === 0 && failed !== rest
      ? namesIn(listing.subarray(0, count))
      : undefined,
    bytes: failed === -1 && size <= maxBytes
      ? bytes.subarray(0, size)
      : undefined,
  };
}

/** Makes an empty file, which must not exist, with a lock on it. Returns the descriptor; undefined when it cannot be made. */
export function makeHeld(dir: string, name: string): number | undefined {
  return holdFile({ dir, name, reads: "", maxBytes: 0 })?.fd;
}

function closeAll(descriptors: readonly number[]): void {
  const list = new CallList(descriptors.length);
  for (const fd of descriptors) {
    if (fd > 0) list.mayFail(list.add(CALL.close, [fd]));
  }
  list.run();
}

const DECODER = new TextDecoder();

/** Reads `struct linux_dirent64`: inode (8 bytes), offset (8), length (2), type (1), name. */
function namesIn(listing: Uint8Array<ArrayBuffer>): string[] {
  const names: string[] = [];
  for (let at = 0; at < listing.length;) {
    const length = listing[at + 16]! + listing[at + 17]! * 256;
    const end = listing.indexOf(0, at + 19);
    const name = DECODER.decode(listing.subarray(at + 19, end));
    if (name !== "." && name !== "..") names.push(name);
    at += length;
  }
  return names;
}
