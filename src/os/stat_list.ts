/** statx(2) of many paths with one call of this program. Linux. */
import { CALL_AT, CallList, crosses, placeOf } from "./call_list.ts";
import { CALL } from "./call_numbers.ts";

const HERE = -100;
const NO_FOLLOW = 0x100;
const BASIC = 0x7ff;

const HALF = 2 ** 32;

/** Numbers of 32 bits that are found for each path: `struct statx`. */
export const FACT_WORDS = 64;
const FACT_BYTES = FACT_WORDS * 4;

/** Where the facts stand in `struct statx`, in words of 32 bits; those of two words have the lower first. */
export const FACT = {
  /** Upper half: the type and permissions. */
  mode: 7,
  links: 4,
  owner: 5,
  group: 6,
  inode: 8,
  size: 10,
  /** Seconds (two words), then nanoseconds. */
  changed: 24,
  written: 28,
  deviceMajor: 34,
  deviceMinor: 35,
} as const;

/** What many paths look like. */
export interface Found {
  /** {@link FACT_WORDS} for each path, all 0 where the look failed. */
  readonly words: Int32Array<ArrayBuffer>;
  /** 0, or the negative errno of a path. */
  result(index: number): number;
}

/**
 * Looks at paths: each ends in a NUL, and the lowest bit of `follows` says of each whether a
 * link at its end is followed. Undefined where it
 * cannot be done, or when there are not as many paths.
 */
export function statMany(
  paths: Uint8Array<ArrayBuffer>,
  follows: ArrayLike<number>,
): Found | undefined {
  const count = follows.length;
  if (paths.length > 0 && paths[paths.length - 1] !== 0) return undefined;
  const words = new Int32Array(count * FACT_WORDS);
  const into = placeOf(new Uint8Array(words.buffer));
  const base = placeOf(paths);
  const list = new CallList(count);
  if (count > 0) {
    list.mayFail(list.add(CALL.statx, [HERE, base, 0, BASIC, into]));
    list.repeat(count);
  }
  const calls = list.words;
  // Whole numbers of 32 bits are written several times faster than larger ones, which differ here once in a thousand starts.
  const isWide = crosses(base, paths.length) ||
    crosses(into, words.length * 4);
  const lowPath = base | 0;
  let lowFacts = into | 0;
  let [at, call] = [0, CALL_AT.first + CALL_AT.argument];
  for (let i = 0; i < count; i++) {
    calls[call + 2] = (lowPath + at) | 0;
    if ((follows[i]! & 1) === 0) calls[call + 4] = NO_FOLLOW;
    calls[call + 8] = lowFacts;
    if (isWide) {
      calls[call + 3] = (base + at) / HALF;
      calls[call + 9] = (into + i * FACT_BYTES) / HALF;
    }
    lowFacts = (lowFacts + FACT_BYTES) | 0;
    call += CALL_AT.step;
    at = paths.indexOf(0, at) + 1;
    if (at === 0) return undefined;
  }
  if (at !== paths.length || list.run() === undefined) return undefined;
  return { words, result: (index) => list.result(index) };
}
