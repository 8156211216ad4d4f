/** Undoing compression, piece by piece. */
import { pipeline, Readable } from "node:stream";
import {
  crc32 as crc32Of,
  createGunzip,
  createInflateRaw,
  inflateRawSync,
} from "node:zlib";
import { osCode } from "./io_error.ts";

/** The compressed bytes are damaged or end too early. */
export class InflateError extends Error {
  override readonly name = "InflateError";
}

const CHUNK_BYTES = 64 * 1024;

/** What a gzip file unpacks to. Throws {@link InflateError}. */
export function gunzip(
  input: Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  return through(input, createGunzip({ chunkSize: CHUNK_BYTES }));
}

/** What a bare deflate stream (as in zip files) unpacks to. Throws {@link InflateError}. */
export function inflateRaw(
  input: Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  return through(input, createInflateRaw({ chunkSize: CHUNK_BYTES }));
}

/** The same for a small piece, at once: a stream costs 0.1 ms and memory. Throws {@link InflateError} also when it is longer than `size`. */
export function inflateRawAtOnce(input: Uint8Array, size: number): Uint8Array {
  try {
    return inflateRawSync(input, { maxOutputLength: Math.max(size, 1) });
  } catch (error) {
    throw inflateError(error);
  }
}

/** CRC-32 of `bytes`, going on from `value`. */
export function crc32(bytes: Uint8Array, value: number): number {
  return crc32Of(bytes, value);
}

async function* through(
  input: Iterable<Uint8Array>,
  inflater: ReturnType<typeof createGunzip>,
): AsyncGenerator<Uint8Array> {
  // Errors reach the loop below, which reads the same stream.
  pipeline(
    Readable.from(input, { highWaterMark: 1 }),
    inflater,
    () => undefined,
  );
  try {
    for await (const piece of inflater) yield piece;
  } catch (error) {
    throw inflateError(error);
  }
}

function inflateError(error: unknown): unknown {
  const code = osCode(error);
  const isDamage = code?.startsWith("Z_") || code === "ERR_BUFFER_TOO_LARGE";
  return isDamage ? new InflateError(code, { cause: error }) : error;
}
