/** Files that are only added to. */
import { type AbsPath, join } from "../base/paths.ts";
import { ensureDir, FILE_MODE, undoUmask } from "./fs.ts";
import { ifExists, withIo } from "./io_error.ts";

/** A file that is written from its start to its end. Use with `using`. */
export class LogFile implements Disposable {
  readonly #path: AbsPath;
  readonly #file: Deno.FsFile;

  /** Makes the file, which must not exist. Throws `IO`. */
  constructor(path: AbsPath) {
    this.#path = path;
    const options = { write: true, createNew: true, mode: FILE_MODE };
    this.#file = withIo("make", path, () => Deno.openSync(path, options));
  }

  /** Adds a text. Throws `IO`. */
  add(text: string): void {
    const bytes = new TextEncoder().encode(text);
    withIo("write", this.#path, () => {
      let done = 0;
      while (done < bytes.length) {
        done += this.#file.writeSync(bytes.subarray(done));
      }
    });
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/**
 * Adds a text to the end of a file in one call, so that those of other processes are not mixed with it. Makes the file and
 * its directory. Throws `IO`.
 */
export function addToEnd(path: AbsPath, text: string): void {
  if (addThere(path, text)) return;
  ensureDir(join(path, ".."));
  addThere(path, text);
}

/** Whether the directory is there. */
function addThere(path: AbsPath, text: string): boolean {
  return ifExists("write", path, () => {
    using file = Deno.openSync(path, {
      append: true,
      create: true,
      mode: FILE_MODE,
    });
    const bytes = new TextEncoder().encode(text);
    let done = 0;
    while (done < bytes.length) done += file.writeSync(bytes.subarray(done));
    undoUmask(path, FILE_MODE);
    return true;
  }) ?? false;
}

/** Writes a text over the first bytes of a file; what stands behind them stays. Makes the file. Throws `IO`. */
export function writeOverStart(path: AbsPath, text: string): void {
  withIo("write", path, () => {
    using file = Deno.openSync(path, {
      write: true,
      create: true,
      mode: FILE_MODE,
    });
    file.writeSync(new TextEncoder().encode(text));
  });
  undoUmask(path, FILE_MODE);
}

/** The bytes of a file from one offset up to another, or to its end; undefined when there is none. Throws `IO`. */
export function readPart(
  path: AbsPath,
  { from, to }: { readonly from: number; readonly to?: number },
): Uint8Array<ArrayBuffer> | undefined {
  return ifExists("read", path, () => {
    using file = Deno.openSync(path);
    const end = to ?? file.statSync().size;
    const bytes = new Uint8Array(Math.max(0, end - from));
    file.seekSync(from, Deno.SeekMode.Start);
    let done = 0;
    while (done < bytes.length) {
      const count = file.readSync(bytes.subarray(done));
      if (count === null) return bytes.slice(0, done);
      done += count;
    }
    return bytes;
  });
}
