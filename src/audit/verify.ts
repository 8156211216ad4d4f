/** Whether the log is as it was written. */
import { type AbsPath, join } from "../base/paths.ts";
import { lstat, readText } from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import { readPart } from "../os/log_file.ts";
import { hashOf, type Line, readLines } from "./chain.ts";
import {
  archivesIn,
  type ChainedLine,
  isChained,
  type LogFiles,
} from "./files.ts";
import { LOG_FILE } from "./entry.ts";

/** What was found. */
export interface Checked {
  /** Lines with an event. */
  readonly lines: number;
  /** Number of the first line that is still there; 0 without any. */
  readonly first: number;
  readonly last: number;
  /** Lines that were never finished: their process was killed. */
  readonly unfinished: number;
  /** Lines that no line of the chain covers yet: they can be changed unseen. */
  readonly uncovered: number;
  /** What is wrong, for people; empty when all is well. */
  readonly problems: readonly string[];
}

/** One file with its lines. */
export interface LogPart {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lines: readonly Line[];
}

/** The files that belong together, oldest first: each names the one before it. */
export function partsOf(files: LogFiles): LogPart[] {
  const parts: LogPart[] = [];
  let archives: Set<string> | undefined;
  let name: string | undefined = LOG_FILE;
  while (name !== undefined) {
    const part: LogPart | undefined = readOne(join(files.dir, name), name);
    if (part !== undefined) parts.unshift(part);
    // Listed only now: a file that the first one names is older than that.
    archives ??= new Set(archivesIn(files));
    archives.delete(name);
    const first = part?.lines.find(isChained);
    // Killed between two files, the new one has yet to name the older.
    const before = first === undefined
      ? [...archives].at(-1)
      : first.link.after?.file;
    name = before !== undefined && archives.has(before) ? before : undefined;
  }
  return parts;
}

function readOne(path: AbsPath, name: string): LogPart | undefined {
  const bytes = readPart(path, { from: 0 });
  return bytes && { name, bytes, lines: readLines(bytes) };
}

/** So often a new file is begun at most while somebody reads. */
const MAX_TRIES = 10;

/** Reads all of it and compares each line with what it covers. `archives` is how many older files are kept. */
export function checkLog(
  files: LogFiles,
  limits: { readonly archives: number },
): Checked {
  for (let tries = 1;; tries++) {
    const before = shapeOf(files);
    const checked = checkOnce(files, limits);
    // Files that were begun or removed meanwhile need not fit together.
    const isSettled = checked.problems.length === 0 || tries === MAX_TRIES ||
      shapeOf(files) === before;
    if (isSettled) return checked;
  }
}

/** Changes when a new file is begun, and when all is forgotten. */
function shapeOf(files: LogFiles): string {
  return [lstat(files.log)?.ino ?? 0, ...archivesIn(files)].join();
}

function checkOnce(
  files: LogFiles,
  { archives }: { readonly archives: number },
): Checked {
  const check = new Check();
  // First: what is written meanwhile stands behind where the log ended then.
  const head = readText(files.head);
  const parts = partsOf(files);
  parts.forEach((part, i) => check.part(part, parts[i + 1]));
  // Killed before a new file was begun, there are older ones alone.
  const older = parts.filter(({ name }) => name !== LOG_FILE);
  check.start(older.length >= archives);
  check.head(head);
  return check.result();
}

class Check {
  readonly #problems: string[] = [];
  #lines = 0;
  #unfinished = 0;
  #uncovered = 0;
  #first = 0;
  #last: ChainedLine | undefined;
  /** Hashes of the last two lines by number: the head may be one behind. */
  readonly #hashes = new Map<number, string>();
  /** What the last file has that its own lines do not cover. */
  #carried = new Uint8Array();

  part({ name, bytes, lines }: LogPart, next: LogPart | undefined): void {
    let from = 0;
    let end = 0;
    for (const line of lines) {
      this.#count(line);
      if (!isChained(line)) continue;
      const { at, after, prev } = line.link;
      const isFirst = this.#last === undefined && after !== undefined;
      const covered = hashOf(this.#carried, bytes.subarray(from, at));
      // The end of line of the one before may have been added with this one.
      const fits = at >= end - 1 && at <= line.start && covered === prev;
      const follows = this.#follow(line);
      // What the oldest file went on from is gone.
      if (follows && !isFirst && !fits) this.#changed(line, name);
      this.#last = line;
      [from, end] = [at, line.end];
      this.#carried = new Uint8Array();
      this.#remember(line, bytes);
    }
    const named = next?.lines.find(isChained)?.link.after?.bytes;
    const upTo = named ?? bytes.length;
    this.#carried = next === undefined
      ? new Uint8Array()
      : bytes.slice(from, upTo);
    const covered = next === undefined ? end : upTo;
    this.#uncovered +=
      lines.filter((line) => line.start >= covered && !isChained(line)).length;
  }

  /** Only where there are as many files as are kept may the first lines be gone. */
  start(mayLack: boolean): void {
    if (mayLack || this.#first <= 1) return;
    this.#problems.unshift(
      `${rangeWords(1, this.#first - 1)} missing at the start`,
    );
  }

  head(text: string | undefined): void {
    const last = this.#last?.link.n ?? 0;
    const [, digits, hash] = /^(\d{12}) ([0-9a-f]{64})\n/.exec(text ?? "") ??
      [];
    if (digits === undefined) {
      if (last > 1) this.#problems.push("the record of where it ends is gone");
      return;
    }
    const n = Number(digits);
    if (n > last) {
      this.#problems.push(`${rangeWords(last + 1, n)} missing at the end`);
    } else if (this.#hashes.has(n) && this.#hashes.get(n) !== hash) {
      this.#problems.push(`line ${n}, the last one, was changed`);
    }
  }

  result(): Checked {
    return {
      lines: this.#lines,
      first: this.#first,
      last: this.#last?.link.n ?? 0,
      unfinished: this.#unfinished,
      uncovered: this.#uncovered,
      problems: this.#problems,
    };
  }

  #count(line: Line): void {
    if (line.record === undefined) this.#unfinished++;
    else this.#lines++;
  }

  /** The line before it is still the last one. */
  #changed({ link }: ChainedLine, name: string): void {
    const before = this.#last?.link.n;
    this.#problems.push(
      before === undefined
        ? `${name}: line ${link.n} does not fit what stands before it`
        : `${name}: line ${before}, or what stands between it and line ${link.n}, was changed or removed`,
    );
  }

  /** Whether its number is the next one. */
  #follow({ link: { n } }: ChainedLine): boolean {
    const before = this.#last?.link.n;
    if (before === undefined) {
      this.#first = n;
      return true;
    }
    if (n === before + 1) return true;
    this.#problems.push(
      n > before + 1
        ? `${rangeWords(before + 1, n - 1)} missing`
        : `line ${n} stands after line ${before}`,
    );
    return false;
  }

  #remember(line: ChainedLine, bytes: Uint8Array): void {
    const text = new TextDecoder().decode(bytes.subarray(line.start, line.end));
    this.#hashes.delete(line.link.n - 2);
    this.#hashes.set(line.link.n, sha256Hex(text.replace(/\n$/, "")));
  }
}

function rangeWords(from: number, to: number): string {
  return from === to ? `line ${from} is` : `lines ${from} to ${to} are`;
}
