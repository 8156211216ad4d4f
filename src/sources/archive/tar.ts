/**
 * Reads tar, pushed in pieces. Our own reader, because the ready-made ones take entries of unknown types for files, keep megabytes of
 * metadata, and hide what a header really said; here all of that is refused.
 */
import { quote } from "../../base/text.ts";

/** What stands in the archive, after long names have been put in place. */
export interface TarEntry {
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "hardlink";
  /** Bytes of content that follow; 0 for anything but a file. */
  readonly size: number;
  readonly mode: number;
  /** Of a link. */
  readonly target: string;
}

/** Who takes the entries. */
export interface TarSink {
  /** A new entry; its content follows in pieces. */
  entry(entry: TarEntry): void;
  /** A piece of the content of a file. */
  content(bytes: Uint8Array): void;
  /** The file is whole. */
  close(): void;
  /** Must throw. */
  refuse(state: string): never;
}

const BLOCK = 512;
/** For one long name or one set of attributes. A path may have 1,024 bytes. */
const MAX_META_BYTES = 64 * 1024;
const DECODER = new TextDecoder();

const KINDS: Readonly<Record<string, TarEntry["kind"]>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "5": "directory",
};

/** What the metadata entries before an entry say about it. */
interface Overrides {
  path?: string;
  target?: string;
  size?: number;
}

interface Header {
  readonly type: string;
  readonly name: string;
  readonly target: string;
  readonly size: number;
  readonly mode: number;
}

/** One archive being read. */
export class TarReader {
  readonly #sink: TarSink;
  readonly #block = new Uint8Array(BLOCK);
  #filled = 0;
  /** Bytes of the current content, and of the padding after it, that have yet to come. */
  #content = 0;
  #padding = 0;
  #meta: { type: string; bytes: Uint8Array; filled: number } | undefined;
  #isFile = false;
  #overrides: Overrides = {};
  #seen = new Set<string>();
  #isDone = false;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** Whether the end mark has been read; what follows does not count. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Takes the next piece. */
  push(piece: Uint8Array): void {
    let rest = piece;
    while (rest.length > 0 && !this.#isDone) {
      rest = this.#content > 0
        ? this.#takeContent(rest)
        : this.#padding > 0
        ? this.#takePadding(rest)
        : this.#takeHeader(rest);
    }
  }

  /** There is no more. */
  end(): void {
    if (!this.#isDone) this.#sink.refuse("it ends too early");
  }

  #takeContent(rest: Uint8Array): Uint8Array {
    const part = rest.subarray(0, this.#content);
    this.#content -= part.length;
    if (this.#meta !== undefined) {
      this.#meta.bytes.set(part, this.#meta.filled);
      this.#meta.filled += part.length;
    } else {
      this.#sink.content(part);
    }
    if (this.#content === 0) this.#endContent();
    return rest.subarray(part.length);
  }

  #endContent(): void {
    const meta = this.#meta;
    this.#meta = undefined;
    if (meta !== undefined) this.#takeMeta(meta.type, meta.bytes);
    else if (this.#isFile) this.#sink.close();
  }

  #takePadding(rest: Uint8Array): Uint8Array {
    const count = Math.min(rest.length, this.#padding);
    this.#padding -= count;
    return rest.subarray(count);
  }

  #takeHeader(rest: Uint8Array): Uint8Array {
    const part = rest.subarray(0, BLOCK - this.#filled);
    this.#block.set(part, this.#filled);
    this.#filled += part.length;
    if (this.#filled === BLOCK) {
      this.#filled = 0;
      if (this.#block.every((byte) => byte === 0)) this.#endArchive();
      else this.#begin(this.#readHeader(this.#block));
    }
    return rest.subarray(part.length);
  }

  #endArchive(): void {
    if (this.#seen.size > 0) {
      this.#sink.refuse("it ends with attributes of an entry that is missing");
    }
    this.#isDone = true;
  }

  #begin(header: Header): void {
    if ("xgLK".includes(header.type)) return this.#beginMeta(header);
    const entry = this.#entryOf(header);
    this.#overrides = {};
    this.#seen.clear();
    this.#sink.entry(entry);
    this.#isFile = entry.kind === "file";
    this.#content = entry.size;
    this.#padding = -entry.size & (BLOCK - 1);
    if (entry.size === 0) this.#endContent();
  }

  #beginMeta({ type, size }: Header): void {
    if (size > MAX_META_BYTES) {
      this.#sink.refuse(`it has attributes of ${size} bytes`);
    }
    if (this.#seen.has(type) && type !== "g") {
      this.#sink.refuse("it says twice what an entry is called");
    }
    if (type !== "g") this.#seen.add(type);
    this.#meta = { type, bytes: new Uint8Array(size), filled: 0 };
    this.#content = size;
    this.#padding = -size & (BLOCK - 1);
    if (size === 0) this.#endContent();
  }

  #takeMeta(type: string, bytes: Uint8Array): void {
    if (type === "x" || type === "g") return this.#takePax(type, bytes);
    const text = DECODER.decode(bytes).replace(/\0$/, "");
    this.#override(type === "L" ? "path" : "target", text);
  }

  /** Records of the form `LENGTH KEY=VALUE\n`, where the length counts the whole record. */
  #takePax(type: string, bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const space = bytes.indexOf(0x20, at);
      const digits = DECODER.decode(bytes.subarray(at, Math.max(space, at)));
      const end = at + Number(digits);
      const isRecord = /^[1-9]\d{0,5}$/.test(digits) && end > space &&
        end <= bytes.length && bytes[end - 1] === 0x0a;
      const equals = bytes.indexOf(0x3d, space);
      if (!isRecord || equals < 0 || equals >= end) {
        this.#sink.refuse("it has damaged attributes");
      }
      const key = DECODER.decode(bytes.subarray(space + 1, equals));
      this.#takeRecord(type, key, bytes.subarray(equals + 1, end - 1));
      at = end;
    }
  }

  #takeRecord(type: string, key: string, value: Uint8Array): void {
    if (key.startsWith("GNU.sparse.")) {
      this.#sink.refuse("it has a sparse file");
    }
    if (key !== "path" && key !== "linkpath" && key !== "size") return;
    if (type === "g") {
      this.#sink.refuse(`it sets the ${quote(key)} of all entries at once`);
    }
    const text = DECODER.decode(value);
    if (key !== "size") {
      return this.#override(key === "path" ? "path" : "target", text);
    }
    if (!/^\d{1,15}$/.test(text)) {
      this.#sink.refuse("it has a size that is no number");
    }
    this.#overrides.size = Number(text);
  }

  #override(key: "path" | "target", text: string): void {
    if (this.#overrides[key] !== undefined) {
      this.#sink.refuse("it says twice what an entry is called");
    }
    this.#overrides[key] = text;
  }

  #entryOf(header: Header): TarEntry {
    const path = this.#overrides.path ?? header.name;
    const kind = kindOf(header.type, path);
    if (kind === undefined) {
      this.#sink.refuse(`${quote(path)} is ${nameOfType(header.type)}`);
    }
    const size = this.#overrides.size ?? header.size;
    if (kind !== "file" && size > 0) {
      this.#sink.refuse(`${quote(path)} is no file but has contents`);
    }
    const target = this.#overrides.target ?? header.target;
    return { path, kind, size, mode: header.mode, target };
  }

  #readHeader(block: Uint8Array): Header {
    let sum = 0;
    block.forEach((byte, i) => sum += i >= 148 && i < 156 ? 0x20 : byte);
    if (this.#number(block, 148, 8) !== sum) {
      this.#sink.refuse("it is damaged: a header's checksum is wrong");
    }
    const name = this.#text(block, 0, 100);
    // Only POSIX's own magic has the field that long paths continue in.
    const isPosix = DECODER.decode(block.subarray(257, 263)) === "ustar\0";
    const prefix = isPosix ? this.#text(block, 345, 155) : "";
    return {
      type: String.fromCharCode(block[156] ?? 0),
      name: prefix === "" ? name : `${prefix}/${name}`,
      target: this.#text(block, 157, 100),
      size: this.#number(block, 124, 12),
      mode: this.#number(block, 100, 8),
    };
  }

  #text(block: Uint8Array, start: number, length: number): string {
    const field = block.subarray(start, start + length);
    const nul = field.indexOf(0);
    if (nul < 0) return DECODER.decode(field);
    if (field.subarray(nul).some((byte) => byte !== 0)) {
      const text = DECODER.decode(field.subarray(0, nul));
      this.#sink.refuse(`${quote(text)} has a NUL in its name`);
    }
    return DECODER.decode(field.subarray(0, nul));
  }

  /** Octal digits, or a big-endian number where the first bit is set. */
  #number(block: Uint8Array, start: number, length: number): number {
    const field = block.subarray(start, start + length);
    if ((field[0] ?? 0) & 0x80) {
      const value = field.reduce(
        (sum, byte, i) => sum * 256 + (i === 0 ? byte & 0x7f : byte),
        0,
      );
      if (Number.isSafeInteger(value)) return value;
    }
    const text = DECODER.decode(field).replace(/[\0 ]+$/, "").trimStart();
    if (!/^[0-7]*$/.test(text)) {
      this.#sink.refuse("it is damaged: a header has a wrong number");
    }
    return text === "" ? 0 : parseInt(text, 8);
  }
}

/** Old archives mark a directory by the slash alone. */
function kindOf(type: string, path: string): TarEntry["kind"] | undefined {
  const kind = KINDS[type];
  return kind === "file" && path.endsWith("/") ? "directory" : kind;
}

function nameOfType(type: string): string {
  if (type === "3" || type === "4") return "a device";
  if (type === "6") return "a named pipe";
  if (type === "S") return "a sparse file";
  return `an entry of the unknown type ${quote(type)}`;
}
