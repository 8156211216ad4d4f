/** Large files: read in blocks, hashed and written piece by piece. */
import { createHash, type Hash } from "node:crypto";
import { type AbsPath, join } from "../base/paths.ts";
import { chmod, removeFile, tempName } from "./fs.ts";
import { withIo } from "./io_error.ts";

const BLOCK_BYTES = 128 * 1024;

/** A file that is read in pieces. Use with `using`. Throws `IO`. */
export class FileReader implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #scratch = new Uint8Array(BLOCK_BYTES);

  constructor(path: string) {
    this.#path = path;
    this.#file = withIo("read", path, () => Deno.openSync(path));
  }

  /** The bytes from `start` up to `end`, fewer when the file is shorter. */
  range(start: number, end: number): Uint8Array<ArrayBuffer> {
    return this.#fill(new Uint8Array(end - start), start);
  }

  /** The same in memory that the next call uses again. */
  peek(start: number, end: number): Uint8Array<ArrayBuffer> {
    if (this.#scratch.length < end - start) {
      this.#scratch = new Uint8Array(end - start);
    }
    return this.#fill(this.#scratch.subarray(0, end - start), start);
  }

  /** The bytes from `start` up to `end` in blocks. Another read in between does not matter. */
  *blocks(start = 0, end = Infinity): Generator<Uint8Array<ArrayBuffer>> {
    let at = start;
    while (at < end) {
      const wanted = new Uint8Array(Math.min(BLOCK_BYTES, end - at));
      const block = this.#fill(wanted, at);
      if (block.length === 0) return;
      at += block.length;
      yield block;
    }
  }

  /** Fills `out` from `start` on, as far as the file reaches. */
  #fill(
    out: Uint8Array<ArrayBuffer>,
    start: number,
  ): Uint8Array<ArrayBuffer> {
    return withIo("read", this.#path, () => {
      this.#file.seekSync(start, Deno.SeekMode.Start);
      let done = 0;
      while (done < out.length) {
        const count = this.#file.readSync(out.subarray(done));
        if (count === null) break;
        done += count;
      }
      return out.subarray(0, done);
    });
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Several digests of the same bytes, made while they pass. */
export class Digests {
  readonly #hashes: ReadonlyMap<string, Hash>;

  /** `algorithms` are names such as `sha256`. */
  constructor(algorithms: readonly string[]) {
    this.#hashes = new Map(algorithms.map((name) => [name, createHash(name)]));
  }

  update(bytes: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.update(bytes);
  }

  /** The digest in this form. Ends the counting for this algorithm. */
  digest(algorithm: string, form: "hex" | "base64"): string {
    return this.#hashes.get(algorithm)!.digest(form);
  }
}

/** A file that did not exist, being written. Never through a link. Throws `IO`. */
export class NewFile {
  readonly path: AbsPath;
  readonly #file: Deno.FsFile;

  constructor(path: AbsPath) {
    this.path = path;
    this.#file = withIo(
      "write",
      path,
      () => Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }),
    );
  }

  /** A new file with a name that nobody else uses, in `dir`. */
  static temporary(dir: AbsPath): NewFile {
    return new NewFile(join(dir, tempName()));
  }

  write(bytes: Uint8Array): void {
    withIo("write", this.path, () => {
      let done = 0;
      while (done < bytes.length) {
        done += this.#file.writeSync(bytes.subarray(done));
      }
    });
  }

  /** Closes it with these permission bits. */
  finish(mode = 0o600): void {
    this.#file.close();
    if (mode !== 0o600) chmod(this.path, mode);
  }

  /** Closes and removes it. */
  discard(): void {
    this.#file.close();
    removeFile(this.path);
  }
}
