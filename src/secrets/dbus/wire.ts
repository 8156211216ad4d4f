/** The wire format of D-Bus: values by signature, little-endian. */

/** A value that carries its own signature. */
export interface Variant {
  readonly signature: string;
  readonly value: Value;
}

/** What a signature describes: `ay` is bytes, a dictionary a list of pairs, a structure a list of its members. */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | Uint8Array
  | Variant
  | readonly Value[];

/** Most bytes of an array that are accepted; the protocol allows 64 MiB. */
const MAX_ARRAY = 4 * 1024 * 1024;
const MAX_DEPTH = 32;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
const NUL = new Uint8Array(1);

/** Bytes that are not what their signature says. */
export class WireError extends Error {
  override readonly name = "WireError";
}

/** Few signatures are used, and each very often. */
const split = new Map<string, readonly string[]>();
const MAX_SPLIT = 64;

/** The complete types of a signature: `a{sv}s` is `a{sv}` and `s`. Throws {@link WireError}. */
export function splitSignature(signature: string): readonly string[] {
  const found = split.get(signature);
  if (found !== undefined) return found;
  const types: string[] = [];
  for (let at = 0; at < signature.length;) {
    const end = typeEnd(signature, at, 0);
    types.push(signature.slice(at, end));
    at = end;
  }
  if (split.size < MAX_SPLIT) split.set(signature, types);
  return types;
}

function typeEnd(signature: string, at: number, depth: number): number {
  const code = signature[at];
  if (code === undefined || depth > MAX_DEPTH) {
    throw new WireError(`bad signature ${signature}`);
  }
  if (code === "a") return typeEnd(signature, at + 1, depth + 1);
  if (code !== "(" && code !== "{") {
    if (!"ybnqiuxtdsogvh".includes(code)) {
      throw new WireError(`bad signature ${signature}`);
    }
    return at + 1;
  }
  const close = code === "(" ? ")" : "}";
  let end = at + 1;
  while (signature[end] !== close) {
    end = typeEnd(signature, end, depth + 1);
  }
  return end + 1;
}

const SIZES: Readonly<Record<string, number>> = {
  y: 1,
  g: 1,
  v: 1,
  n: 2,
  q: 2,
  x: 8,
  t: 8,
  d: 8,
  "(": 8,
  "{": 8,
};

/** Alignment of a type, bytes. */
function alignmentOf(type: string): number {
  return SIZES[type[0]!] ?? 4;
}

/** Puts values together. */
export class WireWriter {
  #bytes = new Uint8Array(512);
  #dataView = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Adds one value for each complete type of the signature. */
  add(signature: string, values: readonly Value[]): this {
    splitSignature(signature).forEach((type, i) => this.#add(type, values[i]!));
    return this;
  }

  /** Fills up to a multiple of `size` bytes. */
  align(size: number): this {
    const past = this.#length % size;
    if (past > 0) this.#reserve(size - past);
    return this;
  }

  /** Adds bytes as they are. */
  append(bytes: Uint8Array): this {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** All that was added. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** Room for more, zeroed; returns where it starts. */
  #reserve(count: number): number {
    const start = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#dataView = new DataView(larger.buffer);
    }
    return start;
  }

  #view(size: number): { view: DataView; at: number } {
    this.align(size);
    const at = this.#reserve(size);
    return { view: this.#dataView, at };
  }

  #add(type: string, value: Value): void {
    const code = type[0]!;
    if (code === "a") this.#addArray(type.slice(1), value);
    else if (code === "(" || code === "{") {
      this.align(8).add(type.slice(1, -1), value as readonly Value[]);
    } else if (code === "v") {
      const { signature, value: inner } = value as Variant;
      this.#add("g", signature);
      this.#add(signature, inner);
    } else if (typeof value === "string") this.#addText(code, value);
    else this.#addNumber(code, value as number | bigint | boolean);
  }

  #addText(code: string, value: string): void {
    const bytes = ENCODER.encode(value);
    this.#addNumber(code === "g" ? "y" : "u", bytes.length);
    this.append(bytes).append(NUL);
  }

  #addNumber(code: string, value: number | bigint | boolean): void {
    const number = Number(value);
    if (code === "y") {
      this.append(new Uint8Array([number]));
      return;
    }
    const { view, at } = this.#view(SIZES[code] ?? 4);
    if (code === "n" || code === "q") view.setUint16(at, number, true);
    else if (code === "d") view.setFloat64(at, number, true);
    else if (code === "x" || code === "t") {
      view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
    } else view.setUint32(at, number, true);
  }

  #addArray(type: string, value: Value): void {
    const { at } = this.#view(4);
    this.align(alignmentOf(type));
    const start = this.#length;
    if (value instanceof Uint8Array) this.append(value);
    else for (const item of value as readonly Value[]) this.#add(type, item);
    const length = this.#length - start;
    this.#dataView.setUint32(at, length, true);
  }
}

/** Takes values apart. Every method throws {@link WireError} for bytes that do not fit. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** One value for each complete type of the signature. */
  read(signature: string): Value[] {
    return splitSignature(signature).map((type) => this.#read(type));
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new WireError("it is cut off");
    this.#at += count;
    return at;
  }

  #align(size: number): void {
    const past = this.#at % size;
    if (past > 0) this.#take(size - past);
  }

  #read(type: string): Value {
    const code = type[0]!;
    switch (code) {
      case "a":
        return this.#readArray(type.slice(1));
      case "(":
      case "{":
        this.#align(8);
        return this.read(type.slice(1, -1));
      case "v":
        return this.#readVariant();
      case "s":
      case "o":
      case "g":
        return this.#readText(code);
      default:
        return this.#readNumber(code);
    }
  }

  #readVariant(): Variant {
    const signature = this.#readText("g");
    const types = splitSignature(signature);
    this.#depth++;
    if (types.length !== 1 || this.#depth > MAX_DEPTH) {
      throw new WireError("bad variant");
    }
    const value = this.#read(signature);
    this.#depth--;
    return { signature, value };
  }

  #readText(code: string): string {
    const length = Number(this.#readNumber(code === "g" ? "y" : "u"));
    const at = this.#take(length + 1);
    return DECODER.decode(this.#bytes.subarray(at, at + length));
  }

  #readNumber(code: string): number | bigint | boolean {
    const size = SIZES[code] ?? 4;
    this.#align(size);
    const at = this.#take(size);
    const view = this.#view;
    switch (code) {
      case "y":
        return view.getUint8(at);
      case "b":
        return view.getUint32(at, true) !== 0;
      case "n":
        return view.getInt16(at, true);
      case "q":
        return view.getUint16(at, true);
      case "i":
        return view.getInt32(at, true);
      case "x":
        return view.getBigInt64(at, true);
      case "t":
        return view.getBigUint64(at, true);
      case "d":
        return view.getFloat64(at, true);
      default:
        return view.getUint32(at, true);
    }
  }

  #readArray(type: string): Value {
    const length = Number(this.#readNumber("u"));
    if (length > MAX_ARRAY) throw new WireError("it is too long");
    this.#align(alignmentOf(type));
    if (type === "y") {
      const at = this.#take(length);
      return this.#bytes.slice(at, at + length);
    }
    const end = this.#at + length;
    const items: Value[] = [];
    while (this.#at < end) {
      const before = this.#at;
      items.push(this.#read(type));
      // A structure without members takes no bytes.
      if (this.#at === before) throw new WireError("it does not advance");
    }
    if (this.#at !== end) throw new WireError("it is longer than it says");
    return items;
  }
}
