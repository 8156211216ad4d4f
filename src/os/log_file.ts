/** Files that are only added to. */
import type { AbsPath } from "../base/paths.ts";
import { FILE_MODE } from "./fs.ts";
import { withIo } from "./io_error.ts";

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
