/** Adding to the log. */
import type { AbsPath } from "../base/paths.ts";
import { join } from "../base/paths.ts";
import { epochMs } from "../os/clock.ts";
import { ensureDir, removeFile, rename, writeAtomic } from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import { withLockAtOnce } from "../os/lock.ts";
import { addToEnd, readPart, writeOverStart } from "../os/log_file.ts";
import { type After, chainedText, hashOf } from "./chain.ts";
import { type Entry, entryOf, plainText } from "./entry.ts";
import type { AuditEvent, Subject } from "./event.ts";
import {
  archiveName,
  archivesIn,
  type ChainedLine,
  filesAt,
  type LogFiles,
  type Tail,
  tailOf,
} from "./files.ts";
import { type Checked, checkLog } from "./verify.ts";

/** How large a log may become. */
export interface LogLimits {
  /** Bytes after which a new file is begun. */
  readonly fileBytes: number;
  /** How many older files stay. */
  readonly archives: number;
}

const LIMITS: LogLimits = { fileBytes: 4 * 1024 * 1024, archives: 4 };
/** How long to wait for a process that is writing, milliseconds. One that was stopped just then may never go on. */
const PATIENCE = 500;

/** The log in a directory, which is made when something is added. */
export class AuditLog {
  readonly files: LogFiles;
  readonly #limits: LogLimits;

  constructor(dir: AbsPath, limits: LogLimits = LIMITS) {
    this.files = filesAt(dir);
    this.#limits = limits;
  }

  /** Adds an event. It is there for whoever reads next, and is not yet forced onto the disk. Throws `IO`. */
  add(event: AuditEvent, subject: Subject = {}): void {
    const entry = entryOf(event, subject, epochMs());
    ensureDir(this.files.dir);
    const done = withLockAtOnce(this.files.lock, () => this.#chain(entry), {
      patience: PATIENCE,
    });
    // Rather outside of the chain, until the next line covers it, than not at all.
    if (done === undefined) addToEnd(this.files.log, plainText(entry));
  }

  /** Forgets everything but that this was done. Returns how many lines there were; undefined when somebody kept the log locked. Throws `IO`. */
  clear(): { readonly lines: number } | undefined {
    const { files } = this;
    ensureDir(files.dir);
    return withLockAtOnce(files.lock, () => {
      const { lines } = this.check();
      const event = { event: "log-cleared", lines } as const;
      const link = { n: 1, at: 0, prev: hashOf(), after: undefined };
      const text = chainedText(entryOf(event, {}, epochMs()), link);
      // Older files first count for nothing, since the new one does not name them, and go then.
      writeAtomic(files.log, text);
      this.#writeHead(text, 1);
      for (const name of archivesIn(files)) removeFile(join(files.dir, name));
      return { lines };
    }, { patience: 10 * PATIENCE });
  }

  /** Compares all of it with its chain. Lines that are added meanwhile may be missed. Throws `IO`. */
  check(): Checked {
    return checkLog(this.files, this.#limits);
  }

  /** The lock must be held. */
  #chain(entry: Entry): Tail {
    const { log } = this.files;
    let tail = tailOf(log);
    if (tail.last !== undefined && tail.size >= this.#limits.fileBytes) {
      this.#rotate(tail.last);
      tail = tailOf(log);
    }
    const { last, size: at, isTorn } = tail;
    const covered = readPart(log, { from: last?.link.at ?? 0, to: at }) ??
      new Uint8Array();
    const before = last === undefined ? this.#before() : undefined;
    const n = (last?.link.n ?? before?.n ?? 0) + 1;
    const prev = hashOf(...(before ? [before.covered] : []), covered);
    const text = chainedText(entry, { n, at, prev, after: before?.after });
    addToEnd(log, (isTorn ? "\n" : "") + text);
    this.#writeHead(text, n);
    return tail;
  }

  #rotate({ link }: ChainedLine): void {
    const { files } = this;
    rename(files.log, join(files.dir, archiveName(link.n)));
    const archives = archivesIn(files);
    const over = Math.max(0, archives.length - this.#limits.archives);
    for (const name of archives.slice(0, over)) {
      removeFile(join(files.dir, name));
    }
  }

  /** What a file without a line of the chain goes on from. */
  #before():
    | { n: number; after: After; covered: Uint8Array<ArrayBuffer> }
    | undefined {
    const file = archivesIn(this.files).at(-1);
    if (file === undefined) return undefined;
    const path = join(this.files.dir, file);
    const { last, size } = tailOf(path);
    const covered = readPart(path, { from: last?.link.at ?? 0, to: size });
    return {
      n: last?.link.n ?? 0,
      after: { file, bytes: size },
      covered: covered ?? new Uint8Array(),
    };
  }

  /** After the line: killed in between, the head is one behind. */
  #writeHead(text: string, n: number): void {
    const hash = sha256Hex(text.slice(0, -1));
    const line = `${String(n).padStart(12, "0")} ${hash}\n`;
    writeOverStart(this.files.head, line);
  }
}
