/** What a server writes to its standard error: kept for the length of a launch, without the values it knows. */
import { AppError } from "../base/errors.ts";
import { redact } from "../base/redact.ts";
import type { AbsPath } from "../base/paths.ts";
import { LogFile } from "../os/log_file.ts";

/** Most bytes that are kept of one server, over all its starts. */
export const MAX_LOG_BYTES = 1024 * 1024;
/** Most characters of a line: a longer one is left out, since a value that is cut in two could not be recognised. */
const MAX_LINE = 64 * 1024;

/** The log of one server. Made when there is something to write. */
export class ServerLog implements Disposable {
  readonly #path: AbsPath;
  #file: LogFile | undefined;
  #left = MAX_LOG_BYTES;

  constructor(path: AbsPath) {
    this.#path = path;
  }

  /** Adds a text, masked. What does not fit is left out, and that is said. */
  add(text: string): void {
    if (this.#left <= 0 || text === "") return;
    const masked = redact(text);
    const fits = masked.length <= this.#left;
    this.#left -= masked.length;
    try {
      this.#file ??= new LogFile(this.#path);
      this.#file.add(fits ? masked : "[the log is full]\n");
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // A full disk must not end the servers.
      this.#left = 0;
    }
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }
}

/** The output of one start of a server, which is added in whole lines. */
export class LogInput {
  readonly #log: ServerLog;
  readonly #decoder = new TextDecoder();
  #pending = "";

  constructor(log: ServerLog) {
    this.#log = log;
  }

  /** Adds bytes. */
  add(bytes: Uint8Array): void {
    this.#pending += this.#decoder.decode(bytes, { stream: true });
    const lines = this.#pending.split("\n");
    // Of a line that is too long already, its length is all that matters.
    this.#pending = lines.pop()!.slice(0, MAX_LINE + 1);
    this.#addLines(lines);
  }

  /** Adds what is left. */
  end(): void {
    this.#pending += this.#decoder.decode();
    if (this.#pending !== "") this.#addLines([this.#pending]);
    this.#pending = "";
  }

  #addLines(lines: readonly string[]): void {
    this.#log.add(
      lines.map((line) => line.length > MAX_LINE ? "[a long line]" : line)
        .map((line) => line + "\n").join(""),
    );
  }
}
