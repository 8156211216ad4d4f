/**
 * How the protected paths of a project looked when they were last as they should be: what hundreds of system calls with one
 * call of this program can compare. The record itself is the first of the paths, so this is forgotten with every change of
 * it. A file of two lines: the paths that are protected, and how they looked.
 */
import { type AbsPath, parent } from "../base/paths.ts";
import { utf8Text } from "../base/text.ts";
import { removeFile } from "../os/fs.ts";
import { markOf } from "../os/marks.ts";
import {
  FACT,
  FACT_WORDS,
  type Found as FoundFacts,
  statMany,
} from "../os/stat_list.ts";
import { isIn } from "./path_text.ts";
import { type Change, type Held, marksOf, type Watched } from "./protect.ts";
import {
  projectKey,
  type ProtectPlace,
  type ProtectRecord,
  recordPath,
  writeQuick,
} from "./protect_store.ts";

/** What a beginning found. */
export interface Found {
  readonly changes: readonly Change[];
  readonly touched: readonly AbsPath[];
  /** Where to see what is made and taken away. */
  readonly dirs: readonly AbsPath[];
}

/** The second line. */
interface Body {
  /** Each followed by a NUL. */
  readonly paths: string;
  /** {@link NUMBERS} for each path. */
  readonly numbers: readonly number[];
  readonly seen: readonly AbsPath[];
}

/** Type and permissions (0: nothing is there), then inode, size, last write, last change; -1 for what may be anything. */
const NUMBERS = 5;
const MAX_PATHS = 1000;
const HALF = 2 ** 32;
const ENOENT = -2;
const ENOTDIR = -20;
const TYPES: Readonly<Record<Held["kind"], number>> = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  other: 0,
};

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
  const found = statMany(bytes, new Array(count).fill(false));
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

/** Writes down how all looks, as the record has it, unless that cannot be told; returns what {@link recallLooks} would. */
export function rememberLooks(
  place: ProtectPlace,
  record: ProtectRecord,
): readonly AbsPath[] {
  const { watched } = record;
  const seen = seenDirs(watched, parent(place.dir));
  const body = bodyOf(place, record);
  if (body === undefined) removeFile(looksPath(place));
  else {
    const line = JSON.stringify({ ...body, seen });
    writeQuick(looksPath(place), `${watchedText(watched)}\n${line}\n`);
  }
  return seen;
}

function bodyOf(
  place: ProtectPlace,
  { watched, baseline }: ProtectRecord,
): Omit<Body, "seen"> | undefined {
  const path = recordPath(place);
  const own = markOf(path);
  const names = [
    ...new Set([...watched.map(({ path }) => path), ...Object.keys(baseline)]),
  ];
  if (own === undefined || names.length > MAX_PATHS) return undefined;
  const numbers = [TYPES.file | own.mode, ...marksOf(own)];
  for (const name of names) {
    const row = rowOf(
      Object.hasOwn(baseline, name) ? baseline[name] : undefined,
    );
    if (row === undefined) return undefined;
    numbers.push(...row);
  }
  return {
    paths: [path, ...names].map((name) => name + "\0").join(""),
    numbers,
  };
}

/** Undefined for what was changed just now, or cannot be compared so. */
function rowOf(held: Held | undefined): readonly number[] | undefined {
  if (held === undefined) return [0, -1, -1, -1, -1];
  if (held.kind === "other" || held.mark === "") return undefined;
  // Permissions of links are always the same.
  const mode = TYPES[held.kind] | (held.kind === "symlink" ? 0o777 : held.mode);
  if (held.mark === undefined) {
    return held.kind === "directory" ? [mode, -1, -1, -1, -1] : undefined;
  }
  const marks = held.mark.split(":").map(Number);
  return marks.length === NUMBERS - 1 ? [mode, ...marks] : undefined;
}

/**
 * Where something could be made and taken away again without a trace: the directories of protected names that are not there.
 * Not those of the env's own: only its sessions read what is in them.
 */
function seenDirs(
  watched: readonly Watched[],
  slot: AbsPath,
): AbsPath[] {
  const dirs = watched.filter(({ path }) => !isIn(path, slot))
    .map(({ path }) => parent(path))
    .filter((dir) => markOf(dir)?.kind === "directory");
  return [...new Set(dirs)];
}

/** Where it is written down. */
export function looksPath(place: ProtectPlace): AbsPath {
  return `${place.dir}/${projectKey(place)}.looks` as AbsPath;
}
