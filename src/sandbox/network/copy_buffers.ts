/** The buffers that bodies are copied with. Large ones are few: whoever opens many tunnels and reads nothing would fill the memory. */

/** A large buffer pays when there is much: each call costs the same. */
const SMALL_BYTES = 32 * 1024;
const LARGE_BYTES = 1024 * 1024;
const GROWTH = 4;
/** For all buffers that are larger than the smallest, together. */
const SHARED_BYTES = 32 * 1024 * 1024;

/** What all copies of a proxy share. */
export class CopyBuffers {
  #left = SHARED_BYTES;

  /** A buffer for one copy. */
  open(): CopyBuffer {
    return new CopyBuffer((bytes) => {
      if (bytes > this.#left) return false;
      this.#left -= bytes;
      return true;
    });
  }
}

/** Grows while reads fill it, as far as there is room for all, and shrinks when they do not any more. Use with `using`. */
export class CopyBuffer implements Disposable {
  readonly #take: (bytes: number) => boolean;
  #bytes = new Uint8Array(0);

  /** `take` is asked for bytes, and given them back as a negative number. */
  constructor(take: (bytes: number) => boolean) {
    this.#take = take;
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

  /** A read of `count` bytes was the last one; `left` more are wanted at most. What was in it is lost. */
  adapt(count: number, left: number): void {
    const { length } = this.#bytes;
    const isFull = count === length && length < left;
    if (isFull && length < LARGE_BYTES) {
      this.#resize(Math.min(LARGE_BYTES, length * GROWTH, left));
    } else if (length > SMALL_BYTES && count < SMALL_BYTES) {
      this.#resize(SMALL_BYTES);
    }
  }

  #resize(size: number): void {
    const more = Math.max(size, SMALL_BYTES) -
      Math.max(this.#bytes.length, SMALL_BYTES);
    if (this.#take(more)) this.#bytes = new Uint8Array(size);
  }

  [Symbol.dispose](): void {
    this.#take(Math.min(0, SMALL_BYTES - this.#bytes.length));
    this.#bytes = new Uint8Array(0);
  }
}
