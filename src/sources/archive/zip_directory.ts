/** The table of contents of a zip file, checked against what stands before each entry. */
import { quote } from "../../base/text.ts";
import type { FileReader } from "../../os/bytes.ts";

/** One entry of the table. */
export interface ZipEntry {
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink";
  readonly mode: number;
  readonly method: "stored" | "deflated";
  readonly crc: number;
  /** Bytes in the file, and unpacked. */
  readonly packed: number;
  readonly size: number;
  /** Where the packed bytes start. */
  readonly start: number;
}

/** What reading needs. */
export interface ZipSource {
  readonly file: FileReader;
  /** Bytes. */
  readonly length: number;
  readonly maxEntries: number;
  /** Must throw. */
  refuse(state: string): never;
}

const END_BYTES = 22;
const MAX_COMMENT = 0xffff;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const SIGNATURE = { local: 0x04034b50, entry: 0x02014b50, end: 0x06054b50 };
const FLAG = { encrypted: 1, sizesFollow: 8, strong: 0x40, utf8: 0x800 };
const UTF8 = new TextDecoder("utf-8", { fatal: true });

interface End {
  readonly count: number;
  readonly size: number;
  readonly offset: number;
}

interface RawEntry {
  readonly madeBy: number;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly name: Uint8Array;
  readonly extra: Uint8Array;
  readonly attributes: number;
  readonly offset: number;
}

/** All entries, in the order in which they lie in the file. Nothing is unpacked. */
export function readZipDirectory(source: ZipSource): ZipEntry[] {
  const end = findEnd(source);
  const raws = readTable(source, end).sort((a, b) => a.offset - b.offset);
  let free = 0;
  return raws.map((raw) => {
    const path = nameOf(source, raw);
    if (raw.offset < free) {
      source.refuse(`${quote(path)} overlaps another entry`);
    }
    const start = checkLocal(source, raw, path);
    refuseHidden(source, { from: free, to: raw.offset });
    free = start + raw.packed;
    if (free > end.offset) source.refuse(`${quote(path)} is cut off`);
    return entryOf(source, raw, { path, start });
  });
}

function findEnd(source: ZipSource): End {
  const from = Math.max(0, source.length - END_BYTES - MAX_COMMENT);
  const tail = source.file.range(from, source.length);
  const view = viewOf(tail);
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== SIGNATURE.end) continue;
    // The comment must reach exactly to the end, else another mark is meant.
    if (at + END_BYTES + view.getUint16(at + 20, true) !== tail.length) {
      continue;
    }
    const end = {
      count: view.getUint16(at + 10, true),
      size: view.getUint32(at + 12, true),
      offset: view.getUint32(at + 16, true),
    };
    const disks = view.getUint32(at + 4, true) !== 0 ||
      view.getUint16(at + 8, true) !== end.count;
    if (disks) source.refuse("it is a part of several");
    if (end.count === 0xffff || end.offset === 0xffffffff) {
      source.refuse("it is larger than a plain zip file may be");
    }
    if (end.count > source.maxEntries) {
      source.refuse(`it has more than ${source.maxEntries} entries`);
    }
    if (end.offset + end.size !== from + at) {
      source.refuse("its table of contents is not where it should be");
    }
    return end;
  }
  source.refuse("it ends too early");
}

function readTable(source: ZipSource, end: End): RawEntry[] {
  const bytes = source.file.range(end.offset, end.offset + end.size);
  const view = viewOf(bytes);
  const entries: RawEntry[] = [];
  let at = 0;
  while (entries.length < end.count) {
    const isEntry = at + ENTRY_BYTES <= bytes.length &&
      view.getUint32(at, true) === SIGNATURE.entry;
    if (!isEntry) source.refuse("its table of contents is damaged");
    const nameEnd = at + ENTRY_BYTES + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    entries.push({
      madeBy: view.getUint8(at + 5),
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      name: bytes.subarray(at + ENTRY_BYTES, nameEnd),
      extra: bytes.subarray(nameEnd, extraEnd),
      attributes: view.getUint32(at + 38, true),
      offset: view.getUint32(at + 42, true),
    });
    at = extraEnd + view.getUint16(at + 32, true);
  }
  if (at !== bytes.length) source.refuse("its table of contents is damaged");
  return entries;
}

/** Compares the header before the content with the table, and returns where the content starts. */
function checkLocal(source: ZipSource, raw: RawEntry, path: string): number {
  const end = raw.offset + LOCAL_BYTES + raw.name.length;
  const bytes = source.file.peek(raw.offset, end);
  const view = viewOf(bytes);
  const differs = () =>
    source.refuse(
      `${
        quote(path)
      } is another entry in the table of contents than in the file`,
    );
  if (bytes.length < end - raw.offset) differs();
  const isSame = view.getUint32(0, true) === SIGNATURE.local &&
    view.getUint16(6, true) === raw.flags &&
    view.getUint16(8, true) === raw.method &&
    view.getUint16(26, true) === raw.name.length &&
    raw.name.every((byte, i) => bytes[LOCAL_BYTES + i] === byte);
  if (!isSame) differs();
  const sizes = [raw.crc, raw.packed, raw.size];
  const local = [14, 18, 22].map((at) => view.getUint32(at, true));
  const isLater = (raw.flags & FLAG.sizesFollow) !== 0;
  if (local.some((n, i) => n !== sizes[i] && !(isLater && n === 0))) differs();
  return end + view.getUint16(28, true);
}

/** Between two entries nothing may lie that another program would take for an entry. */
function refuseHidden(
  source: ZipSource,
  gap: { readonly from: number; readonly to: number },
): void {
  const end = Math.min(gap.to, gap.from + 64);
  if (end - gap.from < 4) return;
  const view = viewOf(source.file.peek(gap.from, end));
  for (let at = 0; at + 4 <= view.byteLength; at++) {
    if (view.getUint32(at, true) !== SIGNATURE.local) continue;
    source.refuse("it has an entry that its table of contents does not list");
  }
}

function entryOf(
  source: ZipSource,
  raw: RawEntry,
  place: { readonly path: string; readonly start: number },
): ZipEntry {
  const { path, start } = place;
  if (raw.flags & (FLAG.encrypted | FLAG.strong)) {
    source.refuse(`${quote(path)} is encrypted`);
  }
  if (raw.method !== 0 && raw.method !== 8) {
    source.refuse(
      `${quote(path)} is packed by the unknown method ${raw.method}`,
    );
  }
  const method = raw.method === 0 ? "stored" : "deflated";
  if (method === "stored" && raw.packed !== raw.size) {
    source.refuse(`${quote(path)} has two sizes`);
  }
  const { kind, mode } = kindOf(source, raw, path);
  if (kind === "directory" && raw.size > 0) {
    source.refuse(`${quote(path)} is no file but has contents`);
  }
  const { crc, packed, size } = raw;
  return { path, kind, mode, method, crc, packed, size, start };
}

/** Unix and macOS keep their mode in the upper half; others only mark directories. */
function kindOf(
  source: ZipSource,
  raw: RawEntry,
  path: string,
): Pick<ZipEntry, "kind" | "mode"> {
  const isDirectory = path.endsWith("/");
  const isUnix = raw.madeBy === 3 || raw.madeBy === 19;
  const mode = isUnix ? raw.attributes >>> 16 : 0;
  const type = mode & 0o170000;
  if (type === 0o120000 && !isDirectory) return { kind: "symlink", mode };
  if (type === 0o040000) return { kind: "directory", mode };
  if (type === 0 || (type === 0o100000 && !isDirectory)) {
    return { kind: isDirectory ? "directory" : "file", mode };
  }
  source.refuse(`${quote(path)} is a device or a named pipe`);
}

function nameOf(source: ZipSource, raw: RawEntry): string {
  const path = decodeName(raw.name);
  if (path === undefined) {
    const shown = new TextDecoder().decode(raw.name);
    source.refuse(`${quote(shown)} has a name that is not UTF-8`);
  }
  const other = otherName(raw.extra);
  if (other !== undefined && decodeName(other) !== path) {
    source.refuse(`${quote(path)} has two names`);
  }
  return path;
}

/** UTF-8 whether or not it is marked so; real code page 437 cannot be told from other pages. */
function decodeName(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}

/** The name in Info-ZIP's extra field 0x7075, which some programs prefer. */
function otherName(extra: Uint8Array): Uint8Array | undefined {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length;) {
    const size = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 0x7075) {
      return extra.subarray(at + 9, at + 4 + size);
    }
    at += 4 + size;
  }
  return undefined;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
