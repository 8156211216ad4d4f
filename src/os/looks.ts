/** How paths look as numbers, for comparing many of them later in a few microseconds each. Linux. */
import { cPath, openCalls } from "./c_files.ts";
import { errno } from "./libc.ts";

/** Of statx(2). */
const HERE = -100;
const NO_FOLLOW = 0x100;
const BASIC = 0x7ff;
/** ENOENT, ENOTDIR. */
const ABSENT: ReadonlySet<number> = new Set([2, 20]);

const FACTS = new Uint8Array(256);
const WORDS = new Uint32Array(FACTS.buffer);
const HALVES = new Uint16Array(FACTS.buffer);

/** Numbers that a {@link LookCode} has. */
const LENGTH: Readonly<Record<string, number>> = { K: 1, T: 1, F: 6, S: 6 };

/**
 * What was looked at. `K`: the kind of an entry; `T`: of what it leads to. `F`: everything that tells whether the entry was
 * changed; `S`: of what it leads to.
 */
export type LookCode = "K" | "T" | "F" | "S";

/** Many looks, in a form that is quickly read and compared. */
export interface LookList {
  /** One {@link LookCode} for each. */
  readonly codes: string;
  /** The paths, each followed by a NUL. */
  readonly paths: string;
  /** What was seen: one number for a kind, six for the rest. */
  readonly numbers: readonly number[];
}

/**
 * Looks at a path. The first number is the type (four bits of its mode), 0 where nothing is, or the negative errno where it
 * may not be looked at; then device, inode, size, and the times of the last write and change in microseconds. Undefined
 * where it cannot be told.
 */
export function lookAt(path: string, code: LookCode): number[] | undefined {
  const call = openCalls().glibc?.statx;
  const text = cPath(path);
  if (!call || text === undefined) return undefined;
  return read(call, text, code);
}

/** Whether every path looks as it did. False where it cannot be told. */
export function looksSame({ codes, paths, numbers }: LookList): boolean {
  const call = openCalls().glibc?.statx;
  if (!call) return false;
  const bytes = new TextEncoder().encode(paths);
  let [at, index] = [0, 0];
  for (const code of codes) {
    const end = bytes.indexOf(0, at);
    if (end < 0) return false;
    const flags = code === "K" || code === "F" ? NO_FOLLOW : 0;
    const path = bytes.subarray(at, end + 1);
    const failed = call(HERE, path, flags, BASIC, FACTS) !== 0;
    const type = failed ? absence() : HALVES[14]! >> 12;
    if (type !== numbers[index]) return false;
    const length = LENGTH[code];
    if (length === undefined) return false;
    if (length > 1 && !failed && !isUnchanged(numbers, index)) return false;
    at = end + 1;
    index += length;
  }
  return at === bytes.length && index === numbers.length;
}

type Statx = NonNullable<
  NonNullable<ReturnType<typeof openCalls>["glibc"]>["statx"]
>;

function read(
  call: Statx,
  path: Uint8Array<ArrayBuffer>,
  code: LookCode,
): number[] {
  const flags = code === "K" || code === "F" ? NO_FOLLOW : 0;
  const failed = call(HERE, path, flags, BASIC, FACTS) !== 0;
  const type = failed ? absence() : HALVES[14]! >> 12;
  if (LENGTH[code] === 1) return [type];
  return failed
    ? [type, 0, 0, 0, 0, 0]
    : [type, device(), inode(), size(), written(), changed()];
}

/** Directly after a call that failed. */
function absence(): number {
  const code = errno();
  return ABSENT.has(code) ? 0 : -code;
}

function isUnchanged(numbers: readonly number[], at: number): boolean {
  return numbers[at + 1] === device() && numbers[at + 2] === inode() &&
    numbers[at + 3] === size() && numbers[at + 4] === written() &&
    numbers[at + 5] === changed();
}

// `struct statx`, words of 32 bits.

function device(): number {
  return WORDS[34]! * 2 ** 20 + WORDS[35]!;
}

function inode(): number {
  return WORDS[8]! + WORDS[9]! * 2 ** 32;
}

function size(): number {
  return WORDS[10]! + WORDS[11]! * 2 ** 32;
}

function written(): number {
  return WORDS[28]! * 1e6 + Math.floor(WORDS[30]! / 1000);
}

function changed(): number {
  return WORDS[24]! * 1e6 + Math.floor(WORDS[26]! / 1000);
}
