/**
 * The chain: a line carries the hash of all bytes from where the line before it began to look, up to where it began to look
 * itself. So every byte of the file is covered by a later line, also lines without a hash and those that were never finished.
 */
import { sha256Hex } from "../os/hash.ts";
import { concatBytes } from "../base/concat.ts";
import type { Entry } from "./entry.ts";

/** What a line of the chain says besides its event. */
export interface Link {
  /** Number of the line; the next one has the next. */
  readonly n: number;
  /** Offset up to which its `prev` covers the file. What another process wrote meanwhile stands between that and the line. */
  readonly at: number;
  /** SHA-256 of what it covers. */
  readonly prev: string;
  /** In the first line of a file that goes on from another: that file, and how many bytes of it are covered. */
  readonly after: After | undefined;
}

/** See {@link Link.after}. */
export interface After {
  readonly file: string;
  readonly bytes: number;
}

/** One line of a file. */
export interface Line {
  /** Offsets of its first byte, and of the first byte behind its end of line. */
  readonly start: number;
  readonly end: number;
  /** Undefined when it is no JSON object. */
  readonly record: Readonly<Record<string, unknown>> | undefined;
  /** Undefined for one that is outside of the chain. */
  readonly link: Link | undefined;
  /** Whether it has its end of line. */
  readonly isWhole: boolean;
}

const NEWLINE = 10;

/** The text of a line of the chain. */
export function chainedText(entry: Entry, link: Link): string {
  const { n, at, prev, after } = link;
  const { event, time, ...rest } = entry;
  const own = after === undefined ? { at, prev } : { at, after, prev };
  return JSON.stringify({ n, time, event, ...rest, ...own }) + "\n";
}

/** The lines of a file, or of a part of it that begins at an offset; empty ones are left out. */
export function readLines(bytes: Uint8Array, offset = 0): Line[] {
  const lines: Line[] = [];
  const decoder = new TextDecoder();
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(NEWLINE, start);
    const end = found < 0 ? bytes.length : found + 1;
    // Not trimmed: a changed end of line shall be seen.
    const text = decoder.decode(bytes.subarray(start, found < 0 ? end : found));
    if (text !== "") {
      const record = parseRecord(text);
      lines.push({
        start: offset + start,
        end: offset + end,
        record,
        link: record && linkOf(record),
        isWhole: found >= 0,
      });
    }
    start = end;
  }
  return lines;
}

function parseRecord(text: string): Line["record"] {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null &&
      !Array.isArray(value);
    return isObject ? value as Record<string, unknown> : undefined;
  } catch (error) {
    // Not finished, or not ours: the chain covers it as it is.
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

function linkOf(record: Readonly<Record<string, unknown>>): Link | undefined {
  const { n, at, prev } = record;
  if (!isCount(n) || !isCount(at) || typeof prev !== "string") return undefined;
  return { n, at, prev, after: afterOf(record["after"]) };
}

function afterOf(value: unknown): After | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { file, bytes } = value as Record<string, unknown>;
  const isOurs = typeof file === "string" && ARCHIVE_NAME.test(file);
  return isOurs && isCount(bytes) ? { file, bytes } : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Names of older files: the number of their last line. */
export const ARCHIVE_NAME = /^log-(\d{12})\.jsonl$/;

/** The hash of what a line covers. */
export function hashOf(...parts: readonly Uint8Array[]): string {
  return sha256Hex(concatBytes(parts));
}
