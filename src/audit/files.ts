/** The files of the log: `log.jsonl`, older ones named by the number of their last line, the lock, and where the end is. */
import { type AbsPath, join } from "../base/paths.ts";
import { lstat, readDir } from "../os/fs.ts";
import { readPart } from "../os/log_file.ts";
import { ARCHIVE_NAME, type Line, readLines } from "./chain.ts";
import { LOG_FILE } from "./entry.ts";

/** Where the parts of a log lie. */
export interface LogFiles {
  readonly dir: AbsPath;
  readonly log: AbsPath;
  readonly lock: AbsPath;
  /** Number and hash of the last line: what is missing at the end could not be seen else. */
  readonly head: AbsPath;
}

/** The files in a directory. */
export function filesAt(dir: AbsPath): LogFiles {
  return {
    dir,
    log: join(dir, LOG_FILE),
    lock: join(dir, "lock"),
    head: join(dir, "head"),
  };
}

/** The name of a file that ends with line `n`. */
export function archiveName(n: number): string {
  return `log-${String(n).padStart(12, "0")}.jsonl`;
}

/** The older files, oldest first. */
export function archivesIn({ dir }: LogFiles): string[] {
  return (readDir(dir) ?? []).map(({ name }) => name)
    .filter((name) => ARCHIVE_NAME.test(name));
}

/** A line of the chain. */
export type ChainedLine = Line & { readonly link: NonNullable<Line["link"]> };

/** Where a file ends. */
export interface Tail {
  /** Its last line of the chain. */
  readonly last: ChainedLine | undefined;
  readonly size: number;
  /** Whether its last line has no end. */
  readonly isTorn: boolean;
}

const FIRST_READ = 16 * 1024;

/** Finds the last line of the chain from the end: what stands before it is not read. */
export function tailOf(path: AbsPath): Tail {
  const size = lstat(path)?.size ?? 0;
  for (let length = FIRST_READ;; length *= 4) {
    const from = Math.max(0, size - length);
    const bytes = readPart(path, { from, to: size }) ?? new Uint8Array();
    const lines = readLines(bytes, from);
    const last = lines.findLast(isChained);
    if (last !== undefined || from === 0) {
      const isTorn = lines.length > 0 && !lines.at(-1)!.isWhole;
      return { last, size, isTorn };
    }
  }
}

/** Whether a line is one of the chain. */
export function isChained(line: Line): line is ChainedLine {
  return line.link !== undefined;
}
