/** SHA-256 of files, read once, and copied meanwhile if wanted. For large amounts: loading `node:crypto` takes 30 ms. */
import { createHash } from "node:crypto";
import { type AbsPath } from "../base/paths.ts";
import { undoUmask } from "./fs.ts";
import { ioError, withIo } from "./io_error.ts";
import { type Mark, markOf } from "./marks.ts";

let shared: Uint8Array<ArrayBuffer> | undefined;

/** Where the bytes go that are read. */
export interface CopyTo {
  /** Must not exist. */
  readonly path: AbsPath;
  /** Permission bits, whatever the umask. */
  readonly mode: number;
}

/**
 * SHA-256 of a regular file's bytes as 64 hexadecimal digits. `mark` is what was there before; undefined is returned
 * when something else is there now, or when it changed while it was read: then what was copied is worth nothing.
 * Throws `IO`.
 */
export function hashFile(
  path: string,
  mark: Mark,
  copyTo?: CopyTo,
): string | undefined {
  const digest = withIo("read", path, () => {
    using file = Deno.openSync(path);
    const info = file.statSync();
    if (!info.isFile || (info.ino ?? 0) !== mark.ino) return undefined;
    const source = { file, path, size: mark.size };
    return copyTo === undefined
      ? digestOf(source)
      : digestWhileCopying(source, copyTo);
  });
  if (digest === undefined) return undefined;
  const after = markOf(path);
  const isSame = after !== undefined && after.ino === mark.ino &&
    after.size === mark.size && after.mtime === mark.mtime &&
    after.ctime === mark.ctime;
  return isSame ? digest : undefined;
}

interface Source {
  readonly file: Deno.FsFile;
  readonly path: string;
  readonly size: number;
}

function digestWhileCopying(source: Source, to: CopyTo): string | undefined {
  return withIo("write", to.path, () => {
    using copy = Deno.openSync(to.path, {
      write: true,
      createNew: true,
      mode: to.mode,
    });
    undoUmask(to.path, to.mode);
    return digestOf(source, copy);
  });
}

/** Undefined when the file does not have as many bytes as it should. */
function digestOf(source: Source, copy?: Deno.FsFile): string | undefined {
  const block = shared ??= new Uint8Array(1 << 20);
  const hash = createHash("sha256");
  let left = source.size;
  while (left > 0) {
    const count = readInto(block, source);
    if (count === 0 || count > left) return undefined;
    left -= count;
    const bytes = block.subarray(0, count);
    hash.update(bytes);
    let written = 0;
    while (copy !== undefined && written < count) {
      written += copy.writeSync(bytes.subarray(written));
    }
  }
  return hash.digest("hex");
}

/** Named after the file that is read, also while another one is written. */
function readInto(block: Uint8Array, source: Source): number {
  try {
    return source.file.readSync(block) ?? 0;
  } catch (error) {
    throw ioError("read", source.path, error);
  }
}

/** SHA-256 of pieces put together, as 64 hexadecimal digits. */
export function sha256OfParts(parts: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
