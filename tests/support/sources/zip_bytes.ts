/** Zip files byte by byte, also such as no program would write. */

import { crc32, deflateRawSync } from "node:zlib";
import { concat } from "./tar_bytes.ts";

/** One entry. What is not given is right. */
export interface ZipPart {
  readonly name: string | Uint8Array;
  readonly content?: string | Uint8Array;
  readonly stored?: boolean;
  /** Unix mode with type. */
  readonly mode?: number;
  readonly flags?: number;
  readonly method?: number;
  /** What both headers say. */
  readonly size?: number;
  readonly crc?: number;
  /** What only the header before the content says. */
  readonly local?: { readonly name?: string; readonly size?: number };
  readonly extra?: Uint8Array;
  /** Not in the table of contents. */
  readonly isHidden?: boolean;
  /** In the table of contents it starts there. */
  readonly offset?: number;
}

const ENCODER = new TextEncoder();

/** The entries, the table of contents, and the end. */
export function zipOf(
  parts: readonly ZipPart[],
  options: { readonly comment?: string; readonly count?: number } = {},
): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  const table: Uint8Array[] = [];
  let at = 0;
  for (const part of parts) {
    const content = bytesOf(part.content ?? "");
    const packed = part.stored
      ? content
      : new Uint8Array(deflateRawSync(content));
    const facts = {
      name: bytesOf(part.name),
      flags: part.flags ?? 0x800,
      method: part.method ?? (part.stored ? 0 : 8),
      crc: part.crc ?? crc32(content),
      packed: packed.length,
      size: part.size ?? content.length,
      extra: part.extra ?? new Uint8Array(),
    };
    const local = localHeader({
      ...facts,
      name: bytesOf(part.local?.name ?? part.name),
      size: part.local?.size ?? facts.size,
    });
    pieces.push(local, packed);
    const mode = part.mode ?? 0o100644;
    if (!part.isHidden) {
      table.push(tableEntry({ ...facts, mode, offset: part.offset ?? at }));
    }
    at += local.length + packed.length;
  }
  const directory = concat(table);
  const comment = bytesOf(options.comment ?? "");
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(8, options.count ?? table.length, true);
  view.setUint16(10, options.count ?? table.length, true);
  view.setUint32(12, directory.length, true);
  view.setUint32(16, at, true);
  view.setUint16(20, comment.length, true);
  return concat([...pieces, directory, end, comment]);
}

interface Facts {
  readonly name: Uint8Array;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly extra: Uint8Array;
}

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? ENCODER.encode(value) : value;
}

function localHeader(facts: Facts): Uint8Array {
  const header = new Uint8Array(30);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x04034b50, true);
  putFacts(view, 4, facts);
  return concat([header, facts.name, facts.extra]);
}

function tableEntry(
  facts: Facts & { readonly mode: number; readonly offset: number },
): Uint8Array {
  const header = new Uint8Array(46);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x02014b50, true);
  view.setUint16(4, 3 << 8 | 20, true);
  putFacts(view, 6, facts);
  view.setUint32(38, facts.mode * 0x10000 >>> 0, true);
  view.setUint32(42, facts.offset, true);
  return concat([header, facts.name, facts.extra]);
}

/** Both headers have these in the same order. */
function putFacts(view: DataView, at: number, facts: Facts): void {
  view.setUint16(at, 20, true);
  view.setUint16(at + 2, facts.flags, true);
  view.setUint16(at + 4, facts.method, true);
  view.setUint32(at + 10, facts.crc, true);
  view.setUint32(at + 14, facts.packed, true);
  view.setUint32(at + 18, facts.size, true);
  view.setUint16(at + 22, facts.name.length, true);
  view.setUint16(at + 24, facts.extra.length, true);
}
