/** Tar files byte by byte, also such as no program would write. */

/** One header and what follows it. */
export interface TarPart {
  readonly name?: string | Uint8Array;
  readonly type?: string;
  readonly content?: string | Uint8Array;
  /** What the header says; the length of the content unless given. */
  readonly size?: number;
  readonly mode?: number;
  readonly target?: string;
  readonly prefix?: string;
  /** Written instead of the right one. */
  readonly checksum?: number;
}

const ENCODER = new TextEncoder();

/** The parts in order, with the end mark. */
export function tarOf(
  parts: readonly TarPart[],
  options: { readonly withoutEnd?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const blocks = parts.flatMap(blocksOf);
  if (!options.withoutEnd) blocks.push(new Uint8Array(1024));
  return concat(blocks);
}

/** A PAX header with these records. */
export function paxPart(
  records: Readonly<Record<string, string>>,
  type = "x",
): TarPart {
  const content = Object.entries(records).map(([key, value]) => {
    const rest = ENCODER.encode(` ${key}=${value}\n`).length;
    let length = rest + String(rest).length;
    length = rest + String(length).length;
    return `${length} ${key}=${value}\n`;
  }).join("");
  return { name: "PaxHeader", type, content };
}

/** Several pieces as one. */
export function concat(
  pieces: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(pieces.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

function blocksOf(part: TarPart): Uint8Array[] {
  const content = bytesOf(part.content ?? "");
  const padding = new Uint8Array(-content.length & 511);
  return [tarHeader(part), content, padding];
}

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? ENCODER.encode(value) : value;
}

/** One header block. */
export function tarHeader(part: TarPart): Uint8Array {
  const block = new Uint8Array(512);
  const put = (at: number, value: string | Uint8Array) =>
    block.set(bytesOf(value), at);
  const octal = (value: number, digits: number) =>
    value.toString(8).padStart(digits, "0");
  const size = part.size ?? bytesOf(part.content ?? "").length;
  put(0, part.name ?? "file");
  put(100, octal(part.mode ?? 0o644, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  if (size < 8 ** 11) put(124, octal(size, 11));
  else putLarge(block, size);
  put(136, octal(0, 11));
  put(156, part.type ?? "0");
  put(157, part.target ?? "");
  put(257, "ustar\x0000");
  put(345, part.prefix ?? "");
  block.fill(0x20, 148, 156);
  const sum = part.checksum ?? block.reduce((a, b) => a + b, 0);
  put(148, octal(sum, 6) + "\0 ");
  return block;
}

/** GNU's form for sizes from 8 GiB on. */
function putLarge(block: Uint8Array, size: number): void {
  block[124] = 0x80;
  let rest = size;
  for (let at = 135; at > 124; at--) {
    block[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}
