/** The reading side of a connection: what has arrived and was not used yet, and copying it on. */
import type { Connection } from "../../os/sockets.ts";
import { ChunkedScanner } from "./chunked.ts";
import type { CopyBuffer, CopyBuffers } from "./copy_buffers.ts";
import type { Moved } from "./fast_copy.ts";
import { type Body, HeadError } from "./http_head.ts";

const FIRST_BYTES = 8 * 1024;
/** A copy is a long one when so much came at once, and so much in all. */
const LONG_READ = 128 * 1024;
const LONG_BYTES = 512 * 1024;

/** What an inlet is made with. */
export interface InletOptions {
  /** Hears of every read and write. */
  readonly onUse: () => void;
  readonly buffers: CopyBuffers;
}

/** Takes some of what has arrived, at most all of it, and says how much and how many more bytes are wanted. */
type Use = (
  piece: Uint8Array<ArrayBuffer>,
) => Promise<{ readonly used: number; readonly left: number }>;

/** Hears how many bytes the kernel has copied, and says how many more are wanted. */
type Moving = (count: number) => number;

/** One connection's bytes. */
export class Inlet {
  readonly connection: Connection;
  readonly #onUse: () => void;
  readonly #buffers: CopyBuffers;
  #buffer = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #filling: Promise<boolean> | undefined;
  #held: Uint8Array | undefined;

  constructor(connection: Connection, options: InletOptions) {
    this.connection = connection;
    this.#onUse = options.onUse;
    this.#buffers = options.buffers;
  }

  /** What has arrived. Valid until the next call. */
  get waiting(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Takes the first `count` bytes away. */
  consume(count: number): void {
    this.#start += count;
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }

  /** Waits for more bytes; false at the end. At most `limit` are kept. Throws {@link HeadError} when that many wait already. */
  fill(limit: number): Promise<boolean> {
    // Somebody may be waiting already, to hear of the end.
    this.#filling ??= this.#fill(limit).finally(() =>
      this.#filling = undefined
    );
    return this.#filling;
  }

  async #fill(limit: number): Promise<boolean> {
    const length = this.#end - this.#start;
    if (length >= limit) throw new HeadError("its head is too large");
    if (this.#end === this.#buffer.length) this.#makeRoom(length, limit);
    const count = await this.connection.read(this.#buffer.subarray(this.#end));
    this.#onUse();
    if (count === null) return false;
    this.#end += count;
    return true;
  }

  #makeRoom(length: number, limit: number): void {
    const size = Math.min(limit, Math.max(FIRST_BYTES, 2 * length));
    const buffer = new Uint8Array(Math.max(size, length + 1));
    buffer.set(this.waiting);
    this.#buffer = buffer;
    this.#start = 0;
    this.#end = length;
  }

  /** The next `count` bytes as a copy; undefined when the connection ends before. */
  async take(count: number): Promise<Uint8Array | undefined> {
    while (this.waiting.length < count) {
      if (!await this.fill(count + FIRST_BYTES)) return undefined;
    }
    const bytes = this.waiting.slice(0, count);
    this.consume(count);
    return bytes;
  }

  /** Everything up to an empty line, which is taken away; undefined at the end. Throws {@link HeadError}. */
  async takeHead(limit: number): Promise<Uint8Array | undefined> {
    let from = 0;
    while (true) {
      const end = findEmptyLine(this.waiting, from);
      if (end >= 0) {
        const head = this.waiting.slice(0, end);
        this.consume(end + 4);
        return head;
      }
      from = Math.max(0, this.waiting.length - 3);
      const isCut = !await this.fill(limit);
      if (!isCut) continue;
      if (this.waiting.length === 0) return undefined;
      throw new HeadError("it breaks off");
    }
  }

  /** Keeps bytes back until the next ones are sent, or {@link flush}: a head and a small body are one packet. */
  hold(bytes: Uint8Array): void {
    this.#held = bytes;
  }

  /** Sends what was kept back. */
  async flush(): Promise<void> {
    if (this.#held !== undefined) await this.send(new Uint8Array(0));
  }

  /** Writes all of it. */
  async send(data: Uint8Array): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    const bytes = held === undefined ? data : joined(held, data);
    let done = 0;
    while (done < bytes.length) {
      done += await this.connection.write(
        done === 0 ? bytes : bytes.subarray(done),
      );
      this.#onUse();
    }
  }

  /** Copies a body to `target`, and what is held there before it. Throws {@link HeadError} when it is malformed or breaks off. */
  async copyBody(body: Body, target: Inlet): Promise<void> {
    if (body.kind === "none") return await target.flush();
    if (body.kind === "chunked") return await this.#copyChunked(target);
    const length = body.kind === "length" ? body.length : Infinity;
    const copied = await this.#copy(length, target);
    if (body.kind === "length" && copied < length) {
      throw new HeadError("its body breaks off");
    }
  }

  /** Copies up to `length` bytes, or to the end, and returns how many. */
  async #copy(length: number, target: Inlet): Promise<number> {
    let left = length;
    const moved = (count: number) => left -= count;
    await this.#eachPiece({ length, target, moved }, async (piece) => {
      const part = piece.length > left ? piece.subarray(0, left) : piece;
      await target.send(part);
      left -= part.length;
      return { used: part.length, left };
    });
    return length === Infinity ? 0 : length - left;
  }

  async #copyChunked(target: Inlet): Promise<void> {
    const scanner = new ChunkedScanner();
    await this.#eachPiece({ length: Infinity, target }, async (piece) => {
      const used = scanner.feed(piece);
      await target.send(piece.subarray(0, used));
      return { used, left: scanner.isDone ? 0 : Infinity };
    });
    if (!scanner.isDone) throw new HeadError("its body breaks off");
  }

  /**
   * Hands over what has arrived, then what arrives, until nothing is `left` to wait for or the connection ends. With `moved`
   * the kernel may copy what nobody has to see.
   */
  async #eachPiece(
    { length, target, moved }: {
      readonly length: number;
      readonly target: Inlet;
      readonly moved?: Moving;
    },
    use: Use,
  ): Promise<void> {
    let left = length;
    if (this.#filling !== undefined) {
      await target.flush();
      if (!await this.#filling) return;
    }
    if (this.waiting.length > 0) {
      const first = await use(this.waiting);
      this.consume(first.used);
      left = first.left;
    }
    // Whatever comes next may take its time.
    await target.flush();
    using buffer = this.#buffers.open();
    await this.#eachRead(buffer, { left, target, moved }, use);
    buffer.shrink();
  }

  async #eachRead(
    buffer: CopyBuffer,
    copy: {
      left: number;
      readonly target: Inlet;
      readonly moved: Moving | undefined;
    },
    use: Use,
  ): Promise<void> {
    const { target, moved } = copy;
    let mayMove = moved !== undefined;
    let passed = 0;
    while (copy.left > 0) {
      const room = buffer.first(copy.left);
      const count = await this.connection.read(room);
      this.#onUse();
      if (count === null) return;
      const { used, left } = await use(room.subarray(0, count));
      copy.left = left;
      if (used < count) this.#putBack(room.subarray(used, count));
      passed += count;
      const isLong = count >= LONG_READ && passed >= LONG_BYTES &&
        left >= LONG_BYTES;
      if (!mayMove || !isLong) {
        buffer.adapt(count, left);
        continue;
      }
      const end = await this.#copyFast(buffer, { target, max: left });
      copy.left = moved?.(end.count) ?? left;
      if (end.isEnded) return;
      mayMove = end.works;
      passed = 0;
    }
  }

  async #copyFast(
    buffer: CopyBuffer,
    { target, max }: { readonly target: Inlet; readonly max: number },
  ): Promise<Moved> {
    const { FastCopy } = await import("./fast_copy.ts");
    using copy = FastCopy.open({
      from: this.connection,
      to: target.connection,
      send: (bytes) => target.send(bytes),
      onUse: this.#onUse,
    });
    if (copy === undefined) return { count: 0, isEnded: false, works: false };
    // Others may have it meanwhile.
    buffer.shrink();
    return await copy.copy(max);
  }

  /** What was read too far; nothing else is waiting then. */
  #putBack(bytes: Uint8Array): void {
    this.#buffer = new Uint8Array(bytes);
    this.#start = 0;
    this.#end = bytes.length;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

function findEmptyLine(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(13, from); at >= 0;) {
    const isEnd = bytes[at + 1] === 10 && bytes[at + 2] === 13 &&
      bytes[at + 3] === 10;
    if (isEnd) return at;
    at = bytes.indexOf(13, at + 1);
  }
  return -1;
}

/** Carries bytes both ways until both sides have said that they send nothing more. `onHalf` hears of the first. */
export async function tunnel(
  a: Inlet,
  b: Inlet,
  { onHalf }: { readonly onHalf: () => void },
): Promise<void> {
  const carry = async (from: Inlet, to: Inlet) => {
    try {
      await from.copyBody({ kind: "rest" }, to);
      onHalf();
      await to.connection.closeWrite();
    } catch (error) {
      // What can be carried in one direction only is not a tunnel: the other one ends as well.
      a.connection.close();
      b.connection.close();
      throw error;
    }
  };
  const ends = await Promise.allSettled([carry(a, b), carry(b, a)]);
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
