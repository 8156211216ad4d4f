/** Unpacks a tar or zip file through the guard, piece by piece. */
import { AppError } from "../../base/errors.ts";
import type { AbsPath } from "../../base/paths.ts";
import { quote } from "../../base/text.ts";
import { FileReader } from "../../os/bytes.ts";
import { lstat } from "../../os/fs.ts";
import {
  crc32,
  gunzip,
  InflateError,
  inflateRaw,
  inflateRawAtOnce,
} from "../../os/inflate.ts";
import type { Limits } from "../source.ts";
import { TreeGuard } from "../tree/guard.ts";
import { type TreeFile, TreeWriter } from "../tree/write_tree.ts";
import { TarReader, type TarSink } from "./tar.ts";
import { readZipDirectory, type ZipEntry } from "./zip_directory.ts";

/** What unpacking needs to know. */
export interface UnpackOptions {
  /** The archive's address or path, for errors. */
  readonly what: string;
  readonly limits: Limits;
  readonly signal: AbortSignal | undefined;
}

/** Below this many unpacked bytes any ratio is possible. */
const RATIO_FLOOR = 32 * 1024 * 1024;
/** What is unpacked in one piece. */
const SMALL_BYTES = 1024 * 1024;
/** A symlink in a zip file is a small file. */
const MAX_TARGET_BYTES = 1024;

const FOREIGN: readonly (readonly [string, readonly number[]])[] = [
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["7z", [0x37, 0x7a, 0xbc, 0xaf]],
  ["rar", [0x52, 0x61, 0x72, 0x21]],
];

/**
 * Unpacks `file` into the empty directory `into`. What it is, is told by its first bytes, not by its name.
 * Throws `SOURCE_REFUSED`, naming the entry and what is wrong with it; the directory then holds a part.
 */
export async function unpackArchive(
  file: AbsPath,
  into: AbsPath,
  options: UnpackOptions,
): Promise<void> {
  using reader = new FileReader(file);
  const length = lstat(file)?.size ?? 0;
  try {
    await new Unpacking({ reader, length }, into, options).run();
  } catch (error) {
    if (!(error instanceof InflateError)) throw error;
    throw new AppError(
      "SOURCE_REFUSED",
      `Cannot take ${quote(options.what)}: it is damaged (${error.message})`,
      { cause: error },
    );
  }
}

class Unpacking implements TarSink {
  readonly #file: FileReader;
  readonly #options: UnpackOptions;
  readonly #guard: TreeGuard;
  readonly #writer: TreeWriter;
  readonly #length: number;
  /** Bytes of the file that have been read. */
  #read = 0;
  #open: TreeFile | undefined;

  constructor(
    archive: { readonly reader: FileReader; readonly length: number },
    into: AbsPath,
    options: UnpackOptions,
  ) {
    this.#file = archive.reader;
    this.#options = options;
    this.#guard = new TreeGuard(options.what, options.limits);
    this.#writer = new TreeWriter(into, this.#guard);
    this.#length = archive.length;
  }

  async run(): Promise<void> {
    const head = this.#file.range(0, 512);
    const startsWith = (...magic: readonly number[]) =>
      magic.every((byte, i) => head[i] === byte);
    try {
      if (startsWith(0x1f, 0x8b)) await this.#untarCompressed();
      else if (startsWith(0x50, 0x4b)) await this.#unzip();
      else this.#untarPlain(startsWith);
      this.#writer.finish();
    } finally {
      this.#open?.abandon();
    }
  }

  refuse(state: string): never {
    this.#guard.refuse(state);
  }

  entry(entry: Parameters<TarSink["entry"]>[0]): void {
    this.#checkRatio(this.#guard.bytes + entry.size, this.#length);
    if (entry.kind === "file") {
      const isProgram = (entry.mode & 0o111) !== 0;
      this.#open = this.#writer.open(entry, { isProgram });
    } else this.#writer.add(entry);
  }

  content(bytes: Uint8Array): void {
    this.#open?.write(bytes);
  }

  close(): void {
    this.#open?.finish();
    this.#open = undefined;
  }

  #untarPlain(startsWith: (...magic: readonly number[]) => boolean): void {
    const foreign = FOREIGN.find(([, magic]) => startsWith(...magic));
    if (foreign !== undefined) {
      this.refuse(`it is packed with ${foreign[0]}, not with gzip or zip`);
    }
    const reader = new TarReader(this);
    for (const block of this.#blocks()) {
      reader.push(block);
      if (reader.isDone) return;
    }
    reader.end();
  }

  async #untarCompressed(): Promise<void> {
    const reader = new TarReader(this);
    let bytes = 0;
    for await (const piece of gunzip(this.#blocks())) {
      bytes += piece.length;
      this.#checkRatio(bytes, this.#read);
      reader.push(piece);
      if (reader.isDone) return;
    }
    reader.end();
  }

  *#blocks(): Generator<Uint8Array> {
    for (const block of this.#file.blocks()) {
      this.#options.signal?.throwIfAborted();
      this.#read += block.length;
      yield block;
    }
  }

  /** Stops a small file that becomes a huge one long before it has. */
  #checkRatio(unpacked: number, packed: number): void {
    const { ratio } = this.#options.limits;
    if (unpacked > RATIO_FLOOR && unpacked > ratio * packed) {
      this.refuse(`it unpacks to more than ${ratio} times its size`);
    }
  }

  async #unzip(): Promise<void> {
    const entries = readZipDirectory({
      file: this.#file,
      length: this.#length,
      maxEntries: this.#options.limits.entries,
      refuse: (state) => this.refuse(state),
    });
    const size = entries.reduce((sum, entry) => sum + entry.size, 0);
    this.#checkRatio(size, this.#length);
    for (const entry of entries) {
      this.#options.signal?.throwIfAborted();
      await this.#unzipOne(entry);
    }
  }

  async #unzipOne(entry: ZipEntry): Promise<void> {
    const { path, kind, size } = entry;
    if (kind === "symlink") return await this.#unzipLink(entry);
    if (kind === "directory") {
      return this.#writer.add({ path, kind, size: 0 });
    }
    const isProgram = (entry.mode & 0o111) !== 0;
    this.#open = this.#writer.open({ path, kind, size }, { isProgram });
    for await (const piece of this.#contentOf(entry)) this.content(piece);
    this.close();
  }

  async #unzipLink(entry: ZipEntry): Promise<void> {
    const { path, size } = entry;
    if (size > MAX_TARGET_BYTES) {
      this.refuse(`the link ${quote(path)} has too long a target`);
    }
    const pieces: number[] = [];
    for await (const piece of this.#contentOf(entry)) pieces.push(...piece);
    const target = new TextDecoder().decode(Uint8Array.from(pieces));
    this.#writer.add({ path, kind: "symlink", size: 0, target });
  }

  async *#contentOf(entry: ZipEntry): AsyncGenerator<Uint8Array> {
    const { path, size } = entry;
    let crc = 0;
    let bytes = 0;
    for await (const piece of this.#unpacked(entry)) {
      bytes += piece.length;
      if (bytes > size) {
        this.refuse(`${quote(path)} is longer than its table of contents says`);
      }
      crc = crc32(piece, crc);
      yield piece;
    }
    if (bytes !== size || crc !== entry.crc) {
      this.refuse(`${quote(path)} is damaged`);
    }
  }

  #unpacked(
    entry: ZipEntry,
  ): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
    const { start, packed, size } = entry;
    const end = start + packed;
    if (entry.method === "stored") return this.#file.blocks(start, end);
    return Math.max(packed, size) > SMALL_BYTES
      ? inflateRaw(this.#file.blocks(start, end))
      : [inflateRawAtOnce(this.#file.peek(start, end), size)];
  }
}
