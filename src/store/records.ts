/** Files that can be done without: what they say is found out anew when they are gone or damaged. */
import { AppError } from "../base/errors.ts";
import type { AbsPath } from "../base/paths.ts";
import { readBytes, removeFile, rename, writeNew } from "../os/fs.ts";

/** What a record holds. */
export interface StoredRecord {
  /** Small values, as JSON. */
  readonly facts: { readonly [name: string]: unknown };
  readonly numbers: Float64Array;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** First number of every record; another layout gets another one. */
const MAGIC = 0x61656e7631;
const HEAD_NUMBERS = 4;
const NUMBER_BYTES = 8;

/** Bytes of a record: the lengths, the numbers, the facts, the bytes. Nothing need be parsed to read the numbers. */
export function encodeRecord(record: Partial<StoredRecord>): Uint8Array {
  const numbers = record.numbers ?? new Float64Array();
  const rest = record.bytes ?? new Uint8Array();
  const facts = new TextEncoder().encode(JSON.stringify(record.facts ?? {}));
  const start = (HEAD_NUMBERS + numbers.length) * NUMBER_BYTES;
  const out = new Uint8Array(start + facts.length + rest.length);
  const head = [MAGIC, numbers.length, facts.length, rest.length];
  const all = new Float64Array(out.buffer, 0, start / NUMBER_BYTES);
  all.set(head);
  all.set(numbers, HEAD_NUMBERS);
  out.set(facts, start);
  out.set(rest, start + facts.length);
  return out;
}

/** Reads a record; undefined when there is none that can be used. */
export function readRecord(path: AbsPath): StoredRecord | undefined {
  const data = readBytes(path);
  if (data === undefined || data.length < HEAD_NUMBERS * NUMBER_BYTES) {
    return undefined;
  }
  const [magic, count, facts, rest] = new Float64Array(
    data.slice(0, HEAD_NUMBERS * NUMBER_BYTES).buffer,
  );
  const start = (HEAD_NUMBERS + count!) * NUMBER_BYTES;
  const isWhole = magic === MAGIC && Number.isInteger(start) && facts! > 0 &&
    start + facts! + rest! === data.length;
  if (!isWhole) return undefined;
  const parsed = parseFacts(data.subarray(start, start + facts!));
  if (parsed === undefined) return undefined;
  const from = HEAD_NUMBERS * NUMBER_BYTES;
  return {
    facts: parsed,
    numbers: new Float64Array(data.slice(from, start).buffer),
    bytes: data.subarray(start + facts!),
  };
}

function parseFacts(bytes: Uint8Array): StoredRecord["facts"] | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const isObject = typeof value === "object" && value !== null;
    return isObject ? value as Record<string, unknown> : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/**
 * Writes a record; where nothing can be written, nothing happens. Not synced to the disk. `temp` is a path of the store's
 * for the time of writing.
 */
export function writeRecord(
  path: AbsPath,
  record: Partial<StoredRecord>,
  temp: AbsPath,
): void {
  try {
    writeNew(temp, encodeRecord(record));
    rename(temp, path);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
    removeFile(temp);
  }
}
