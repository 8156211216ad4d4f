/** Reading the log: its newest entries, and those that come. */
import { join } from "../base/paths.ts";
import { lstat } from "../os/fs.ts";
import { readPart } from "../os/log_file.ts";
import { sleep } from "../os/process.ts";
import { type Line, readLines } from "./chain.ts";
import { archivesIn, type LogFiles } from "./files.ts";
import { LOG_FILE } from "./entry.ts";
import { partsOf } from "./verify.ts";

/** An entry as it was read: whoever may write the file may have changed it. */
export type LogRecord = Readonly<Record<string, unknown>>;

/** How often is looked whether there is more, milliseconds. */
const LOOK_MS = 250;

/** The newest entries that `wants` lets through, at most `count`, oldest first. */
export function readNewest(
  files: LogFiles,
  { count, wants }: {
    readonly count: number;
    readonly wants: (record: LogRecord) => boolean;
  },
): LogRecord[] {
  const found: LogRecord[] = [];
  for (const { lines } of partsOf(files).toReversed()) {
    for (let i = lines.length - 1; i >= 0; i--) {
      if (found.length >= count) return found.toReversed();
      const record = lines[i]!.record;
      if (record !== undefined && wants(record)) found.push(record);
    }
  }
  return found.toReversed();
}

/** Entries from now on, as they are written. */
export class Follower {
  readonly #files: LogFiles;
  #inode: number | undefined;
  #offset: number;

  constructor(files: LogFiles) {
    this.#files = files;
    const found = lstat(files.log);
    this.#inode = found?.ino;
    this.#offset = found?.size ?? 0;
  }

  /** Waits for more, and returns it. */
  async next(): Promise<LogRecord[]> {
    while (true) {
      const records = this.#look();
      if (records.length > 0) return records;
      await sleep(LOOK_MS);
    }
  }

  #look(): LogRecord[] {
    const { log, dir } = this.#files;
    const found = lstat(log);
    if (found === undefined) return [];
    const rest: Line[] = [];
    if (found.ino !== this.#inode) {
      // A new file was begun; what came into the old one after the last look is at its end.
      const old = this.#inode === undefined
        ? undefined
        : archivesIn(this.#files).at(-1);
      if (old !== undefined && lstat(join(dir, old))?.ino === this.#inode) {
        rest.push(...this.#from(old));
      }
      this.#inode = found.ino;
      this.#offset = 0;
    }
    if (found.size > this.#offset) {
      const lines = this.#from(LOG_FILE).filter(({ isWhole }) => isWhole);
      this.#offset = lines.at(-1)?.end ?? this.#offset;
      rest.push(...lines);
    }
    return rest.flatMap(({ record }) => record === undefined ? [] : [record]);
  }

  #from(name: string): Line[] {
    const from = this.#offset;
    const bytes = readPart(join(this.#files.dir, name), { from });
    return readLines(bytes ?? new Uint8Array(), from);
  }
}
