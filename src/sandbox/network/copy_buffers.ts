/** The buffers that bodies are copied with. Large ones are few: whoever opens many tunnels and reads nothing would fill the memory. */

/** A large buffer pays when there is much: each call costs the same. */
const SMALL_BYTES = 32 * 1024;
const LARGE_BYTES = 1024 * 1024;
const GROWTH = 4;
/** For all buffers that are larger than the smallest, together. */
const SHARED_BYTES = 32 * 1024 * 1024;
/** Those that are given back are kept for others, for memory is not free before it is collected; so much when there are no others. */
const SPARE_BYTES = 4 * 1024 * 1024;

/** What all copies of a proxy share. */
export class CopyBuffers {
  #used = 0;
  /** The oldest first. */
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];

  /** A buffer for one copy. */
  open(): CopyBuffer {
    return new CopyBuffer(this);
  }

  /** A buffer that is larger than the smallest; undefined when there are too many. What is in it may be anything. */
  take(size: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.#used + size > SHARED_BYTES) return undefined;
    this.#used += size;
    const index = this.#spare.findIndex(({ length }) => length === size);
    if (index >= 0) return this.#spare.splice(index, 1)[0];
    this.#keep(SHARED_BYTES - this.#used);
    return new Uint8Array(size);
  }

  /** Takes one back that nobody reads or writes any more. */
  giveBack(bytes: Uint8Array<ArrayBuffer>): void {
    this.forget(bytes.length);
    this.#spare.push(bytes);
    if (this.#used === 0) this.#keep(SPARE_BYTES);
  }

  #keep(max: number): void {
    let left = this.#spare.reduce((sum, { length }) => sum + length, 0);
    while (left > max) left -= this.#spare.shift()?.length ?? left;
  }

  /** Counts one less of a size, which somebody may still read or write. */
  forget(size: number): void {
    this.#used -= size;
  }
}

/** Grows while reads fill it, as far as there is room for all, and shrinks when they do not any more. Use with `using`. */
export class CopyBuffer implements Disposable {
  readonly #shared: CopyBuffers;
  #bytes = new Uint8Array(0);

  constructor(shared: CopyBuffers) {
    this.#shared = shared;
  }

  /** The first `max` bytes of it, or all. */
  first(max: number): Uint8Array<ArrayBuffer> {
    if (this.#bytes.length === 0) {
      this.#bytes = new Uint8Array(Math.min(SMALL_BYTES, max));
    }
    return this.#bytes.length <= max
      ? this.#bytes
      : this.#bytes.subarray(0, max);
  }

  /** A read of `count` bytes was the last one, and all of it has been used; `left` more are wanted at most. */
  adapt(count: number, left: number): void {
    const { length } = this.#bytes;
    if (count === length && length < left) this.#grow();
    else if (count < SMALL_BYTES) this.shrink();
  }

  #grow(): void {
    const { length } = this.#bytes;
    if (length === LARGE_BYTES) return;
    const size = Math.min(LARGE_BYTES, Math.max(length, SMALL_BYTES) * GROWTH);
    const larger = this.#shared.take(size);
    if (larger === undefined) return;
    this.shrink();
    this.#bytes = larger;
  }

  /** Lets others have it, as far as it is large. Nobody may read or write it any more. */
  shrink(): void {
    if (this.#bytes.length <= SMALL_BYTES) return;
    this.#shared.giveBack(this.#bytes);
    this.#bytes = new Uint8Array(0);
  }

  /** A call that was given up may still use it: nobody else gets it. */
  [Symbol.dispose](): void {
    const { length } = this.#bytes;
    if (length > SMALL_BYTES) this.#shared.forget(length);
    this.#bytes = new Uint8Array(0);
  }
}
