/**
 * Looking at this machine for a policy, so that it is known afterwards what the result rests on: everything that the facts
 * are made of goes through here. What is recorded is enough to say later that every look would find the same.
 */
import { AppError } from "../base/errors.ts";
import * as fs from "../os/fs.ts";
import type { Entry, Stat } from "../os/fs.ts";
import { lookAt, type LookCode, type LookList } from "../os/looks.ts";
import { type EntryKind, kindOf, markOf } from "../os/marks.ts";
import { notingLooks } from "../os/noted_looks.ts";
import * as special from "../os/special_files.ts";
import type { AbsPath } from "../base/paths.ts";

/** What was looked at while something was made. */
export interface Recorded {
  readonly list: LookList;
  /** Path → where it led with every link resolved; null: nowhere. */
  readonly real: Readonly<Record<string, AbsPath | null>>;
  /** The latest change of anything that was read, microseconds since the epoch. */
  readonly latest: number;
}

/** More than this is not kept. */
const MAX_LOOKS = 5000;

/** A link of /etc leads to this process's own part of /proc, which has another name each time and is granted with all of /proc. */
function ownEntries(): ReadonlySet<string> {
  const own = `/proc/${fs.readLink("/proc/self") ?? "self"}`;
  return new Set(["/proc/self", own, `${own}/mounts`]);
}

class Recorder {
  readonly #seen = new Map<string, readonly number[]>();
  readonly #real = new Map<string, AbsPath | null>();
  readonly #own = ownEntries();
  #isComplete = true;

  /** What a look finds, written down. Undefined when it cannot be told: then nothing is kept. */
  look(path: string, code: LookCode): readonly number[] | undefined {
    const found = lookAt(path, code);
    if (found === undefined) this.#isComplete = false;
    else if (!this.#own.has(path)) this.#note(path, code, found);
    return found;
  }

  real(path: string, answer: AbsPath | undefined): void {
    const before = this.#real.get(path);
    const now = answer ?? null;
    if (before !== undefined && before !== now) this.#isComplete = false;
    this.#real.set(path, now);
  }

  /** For what did not go as its look said. */
  spoil(): void {
    this.#isComplete = false;
  }

  result(): Recorded | undefined {
    const names = [...this.#seen.keys()];
    if (!this.#isComplete || names.length > MAX_LOOKS) return undefined;
    const rows = [...this.#seen.values()];
    return {
      list: {
        codes: names.map((name) => name[0]).join(""),
        paths: names.map((name) => name.slice(1) + "\0").join(""),
        numbers: rows.flat(),
      },
      real: Object.fromEntries(this.#real),
      latest: Math.max(0, ...rows.flatMap((row) => row.slice(4))),
    };
  }

  #note(path: string, code: LookCode, found: readonly number[]): void {
    const name = code + path;
    const before = this.#seen.get(name);
    if (before !== undefined && before.some((n, i) => n !== found[i])) {
      this.#isComplete = false;
    }
    this.#seen.set(name, found);
  }
}

let recorder: Recorder | undefined;

/** Runs `work` and returns what it looked at besides; undefined when that is not known in full. */
export function recordLooks<T>(
  work: () => T,
): { readonly value: T; readonly looks: Recorded | undefined } {
  const mine = new Recorder();
  recorder = mine;
  try {
    return { value: work(), looks: mine.result() };
  } finally {
    recorder = undefined;
  }
}

/**
 * Runs `work` and returns what it looked at through the functions of the file system, wherever they are called; undefined
 * when that is not known in full.
 */
export function recordFiles<T>(
  work: () => T,
): { readonly value: T; readonly looks: Recorded | undefined } {
  const mine = new Recorder();
  const value = notingLooks((path, look) => {
    // What is looked at to know it is not what it rests on.
    notingLooks(() => {}, () => {
      if (look === "R") mine.real(path, fs.realPath(path));
      else mine.look(path, look);
    });
  }, work);
  return { value, looks: mine.result() };
}

/** The kind of an entry itself; undefined when nothing is there. Throws `IO`. */
export function kindAt(path: string): EntryKind | undefined {
  const found = recorder?.look(path, "K")?.[0];
  if (found !== undefined && found >= 0) {
    return found === 0 ? undefined : kindOf(found);
  }
  const kind = markOf(path)?.kind;
  // The look was refused and this one is not.
  if (found !== undefined) recorder?.spoil();
  return kind;
}

/** As `stat` of the file system. */
export function stat(path: string): Stat | undefined {
  recorder?.look(path, "S");
  return fs.stat(path);
}

/** As `readDir` of the file system. */
export function readDir(path: string): Entry[] | undefined {
  recorder?.look(path, "S");
  return fs.readDir(path);
}

/** As `readText` of the file system. */
export function readText(path: string, maxBytes?: number): string | undefined {
  recorder?.look(path, "S");
  return fs.readText(path, maxBytes);
}

/** As `readLink` of the file system. */
export function readLink(path: string): string | undefined {
  recorder?.look(path, "F");
  return fs.readLink(path);
}

/** As `specialKind` of the system. */
export function specialKind(
  path: string,
): ReturnType<typeof special.specialKind> {
  recorder?.look(path, "T");
  return special.specialKind(path);
}

/** As `realPath` of the file system. */
export function realPath(path: string): AbsPath | undefined {
  if (recorder === undefined) return fs.realPath(path);
  try {
    const found = fs.realPath(path);
    recorder.real(path, found);
    return found;
  } catch (error) {
    if (error instanceof AppError && error.code === "IO") recorder.spoil();
    throw error;
  }
}
