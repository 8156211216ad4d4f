/** Records of how entries looked when their contents were known to be right: whatever looks the same still is. */
import { AppError } from "../base/errors.ts";
import type { AbsPath } from "../base/paths.ts";
import { readText, removeFile, rename, writeNew } from "../os/fs.ts";
import type { Mark } from "../os/marks.ts";

/** Number of values that are kept of a {@link Mark}: inode, time of the last write, time of the last change. */
const WIDTH = 3;
const VERSION = 1;
const MAX_RECORD_BYTES = 1 << 28;

/**
 * Marks by number. Recorded are only such as were seen after the clock had moved on from their change time: then every
 * later change gives another one, and no process can set it back.
 */
export class Marks {
  readonly #values: number[];

  /** `values` are those that {@link toJSON} gave. */
  constructor(values: readonly number[] = []) {
    this.#values = [...values];
  }

  set(index: number, mark: Mark): void {
    // Without a change time (Windows) nothing may be taken as unchanged.
    const ino = mark.ctime === 0 ? 0 : mark.ino;
    while (this.#values.length < index * WIDTH) this.#values.push(0, 0, 0);
    const at = index * WIDTH;
    this.#values[at] = ino;
    this.#values[at + 1] = mark.mtime;
    this.#values[at + 2] = mark.ctime;
  }

  /** Whether the entry still is what it was. */
  isSame(index: number, mark: Mark): boolean {
    return this.isSameFile(index, mark) &&
      this.#values[index * WIDTH + 2] === mark.ctime;
  }

  /** Whether it is the same file and was not written, as far as the time of the last write tells. */
  isSameFile(index: number, mark: Mark): boolean {
    return this.isInode(index, mark) && mark.ctime !== 0 &&
      this.#values[index * WIDTH + 1] === mark.mtime;
  }

  /** Whether this is the inode that was recorded. */
  isInode(index: number, mark: Mark): boolean {
    return mark.ino !== 0 && this.#values[index * WIDTH] === mark.ino;
  }

  toJSON(): readonly number[] {
    return this.#values;
  }
}

/** Reads a record; undefined when there is none that can be used: then everything is looked at anew. */
export function readRecord(
  path: AbsPath,
): Readonly<Record<string, unknown>> | undefined {
  const text = readText(path, MAX_RECORD_BYTES);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isOurs = typeof value === "object" && value !== null &&
      (value as { version?: unknown }).version === VERSION;
    return isOurs ? value as Record<string, unknown> : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** Marks from a record; undefined when there are none. */
export function readMarks(path: AbsPath): Marks | undefined {
  const values = readRecord(path)?.["marks"];
  const isList = Array.isArray(values) &&
    values.every((value) => typeof value === "number");
  return isList ? new Marks(values as number[]) : undefined;
}

/** Text of a record. */
export function formatRecord(value: object): string {
  return JSON.stringify({ version: VERSION, ...value });
}

/**
 * Writes a record that can be done without: where nothing can be written, nothing happens. Not synced to the disk: what is
 * lost is looked at anew. `temp` is a path of the store's for the time of writing.
 */
export function writeRecord(
  path: AbsPath,
  value: object,
  temp: AbsPath,
): void {
  try {
    writeNew(temp, formatRecord(value));
    rename(temp, path);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
    removeFile(temp);
  }
}
