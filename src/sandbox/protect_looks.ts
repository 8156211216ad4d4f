/**
 * How the protected paths of a project looked when they were last as they should be: what hundreds of system calls with one
 * call of this program can compare. The record itself is the first of the paths, so this is forgotten with every change of
 * it. A file of two lines: the paths that are protected, and how they looked.
 */
import type { AbsPath } from "../base/paths.ts";
import { utf8Text } from "../base/text.ts";
import {
  FACT,
  FACT_WORDS,
  type Found as FoundFacts,
  statMany,
} from "../os/stat_list.ts";
import type { Change, Watched } from "./protect.ts";

/** What a beginning found. */
export interface Found {
  readonly changes: readonly Change[];
  readonly touched: readonly AbsPath[];
  /** Where to see what is made and taken away. */
  readonly dirs: readonly AbsPath[];
}

/** The second line. */
export interface Body {
  /** Each followed by a NUL. */
  readonly paths: string;
  /** {@link NUMBERS} for each path. */
  readonly numbers: readonly number[];
  readonly seen: readonly AbsPath[];
}

/** Type and permissions (0: nothing is there), then inode, size, last write, last change; -1 for what may be anything. */
export const NUMBERS = 5;
const HALF = 2 ** 32;
const ENOENT = -2;
const ENOTDIR = -20;

/** What is protected, as a text that is compared. */
export function watchedText(watched: readonly Watched[]): string {
  return JSON.stringify(watched);
}

/**
 * The directories to watch for what is made and taken away again, if every protected path looks as it did, and the same
 * ones are protected. Undefined when they do not, or it is not known.
 */
export function recallLooks(
  bytes: Uint8Array,
  watched: string,
): readonly AbsPath[] | undefined {
  const text = utf8Text(bytes);
  const [known, line] = text?.split("\n") ?? [];
  if (known !== watched || line === undefined) return undefined;
  try {
    const { paths, numbers, seen } = JSON.parse(line) as Body;
    return looksSame(paths, numbers) ? seen : undefined;
  } catch (error) {
    // It was not written to its end.
    if (error instanceof SyntaxError || error instanceof TypeError) {
      return undefined;
    }
    throw error;
  }
}

function looksSame(paths: string, numbers: readonly number[]): boolean {
  const count = numbers.length / NUMBERS;
  const bytes = new TextEncoder().encode(paths);
  const found = statMany(bytes, new Uint8Array(count));
  if (found === undefined) return false;
  for (let i = 0; i < count; i++) {
    const result = found.result(i);
    const at = i * NUMBERS;
    if (result === ENOENT || result === ENOTDIR) {
      if (numbers[at] !== 0) return false;
    } else if (result !== 0 || !isAlike(found, i, numbers)) return false;
  }
  return true;
}

function isAlike(
  { words }: FoundFacts,
  index: number,
  numbers: readonly number[],
): boolean {
  const at = index * FACT_WORDS;
  const [mode, inode, size, written, changed] = numbers.slice(
    index * NUMBERS,
    (index + 1) * NUMBERS,
  );
  if ((words[at + FACT.mode]! & 0xffff) !== mode) return false;
  return inode === -1 || (inode === long(words, at + FACT.inode) &&
    size === long(words, at + FACT.size) &&
    written === time(words, at + FACT.written) &&
    changed === time(words, at + FACT.changed));
}

function long(words: Int32Array, at: number): number {
  return (words[at]! >>> 0) + words[at + 1]! * HALF;
}

/** Microseconds. */
function time(words: Int32Array, at: number): number {
  return long(words, at) * 1e6 + Math.floor((words[at + 2]! >>> 0) / 1000);
}
