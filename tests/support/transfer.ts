/** Long streams of bytes that are known, and what has come of them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";

/** Of no size that anything else here has. */
const BLOCK = 1_000_003;
const PIECE = 192 * 1024;

const block = new Uint8Array(BLOCK + PIECE);
let seed = 12345;
for (let at = 0; at < BLOCK; at++) {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  block[at] = seed >>> 16;
}
block.copyWithin(BLOCK, 0, PIECE);

/** Writes all of some bytes. */
export async function writeAll(
  connection: Deno.Conn,
  bytes: Uint8Array,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await connection.write(bytes.subarray(done));
  }
}

/** Writes the first `length` bytes of the stream. */
export async function sendStream(
  connection: Deno.Conn,
  length: number,
): Promise<void> {
  for (let sent = 0; sent < length;) {
    const from = sent % BLOCK;
    const count = Math.min(PIECE, length - sent);
    sent += await connection.write(block.subarray(from, from + count));
  }
}

/** The hash of the first `length` bytes of the stream. */
export function streamHash(length: number): string {
  const hash = createHash("sha256");
  for (let done = 0; done < length;) {
    const from = done % BLOCK;
    const count = Math.min(PIECE, length - done);
    hash.update(block.subarray(from, from + count));
    done += count;
  }
  return hash.digest("hex");
}

/** Reads what is announced in pieces. Use it for one side of one connection. */
export class Receiver {
  readonly connection: Deno.Conn;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  #waiting = new Uint8Array(0);

  constructor(connection: Deno.Conn, bufferBytes = 256 * 1024) {
    this.connection = connection;
    this.#buffer = new Uint8Array(bufferBytes);
  }

  /** The next bytes, `max` at most; undefined at the end. */
  async next(max: number): Promise<Uint8Array | undefined> {
    if (this.#waiting.length === 0) {
      const count = await this.connection.read(this.#buffer);
      if (count === null) return undefined;
      this.#waiting = this.#buffer.subarray(0, count);
    }
    const bytes = this.#waiting.subarray(0, max);
    this.#waiting = this.#waiting.subarray(bytes.length);
    return bytes;
  }

  /** Text up to an empty line. */
  async head(): Promise<string> {
    let text = "";
    while (!text.endsWith("\r\n\r\n")) {
      const byte = await this.next(1);
      assert.ok(byte, `ended after ${JSON.stringify(text)}`);
      text += String.fromCharCode(byte[0]!);
    }
    return text;
  }

  /** How many bytes come, `length` at most, and their hash. `between` is waited for after each piece. */
  async hash(
    length: number,
    between?: () => Promise<void>,
  ): Promise<{ readonly count: number; readonly hash: string }> {
    const hash = createHash("sha256");
    let count = 0;
    while (count < length) {
      const bytes = await this.next(length - count);
      if (bytes === undefined) break;
      hash.update(bytes);
      count += bytes.length;
      await between?.();
    }
    return { count, hash: hash.digest("hex") };
  }

  /** Fails unless exactly the first `length` bytes of the stream come. */
  async expect(length: number, between?: () => Promise<void>): Promise<void> {
    const got = await this.hash(length, between);
    assert.equal(got.count, length);
    assert.equal(got.hash, streamHash(length));
  }
}

/** What the open descriptors of this process lead to, of one kind. */
export function openDescriptors(kind: "pipe" | "socket"): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].flatMap(({ name }) => {
    try {
      const target = Deno.readLinkSync(`/proc/self/fd/${name}`);
      return target.startsWith(kind) ? [name] : [];
    } catch (error) {
      // The directory that is being read.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return [];
    }
  });
}
