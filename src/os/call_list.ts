/** Many system calls for the price of one: a call through FFI takes longer than what most calls do. Linux. */
import {
  cloneCall,
  HEADER_BYTES,
  RESULT_AT,
  STEP_BYTES,
  WORD,
} from "./clone_code.ts";

const STEP_WORDS = STEP_BYTES / 4;
const HALF = 2 ** 32;

/** Where things stand in {@link CallList.words}, counted in words of 32 bits; each has two, the lower first. */
export const CALL_AT = {
  /** The first call; then one follows each `step`. */
  first: HEADER_BYTES / 4,
  step: STEP_WORDS,
  /** In a call: its first argument; each next one has two more. */
  argument: 2,
  result: RESULT_AT / 4,
  /** The first of two addresses that the result is written to. */
  target: 18,
} as const;

/**
 * System calls of this thread, made one after the other. The list ends at the first that fails unless that may. It is
 * written in plain numbers, since thousands of them are written at a start. Memory that the calls point to is the caller's
 * to keep.
 */
export class CallList {
  /** The list itself, for who writes many calls that are alike; see {@link CALL_AT}. */
  readonly words: Int32Array<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #base: number;
  readonly #capacity: number;
  #count = 0;
  readonly #kept: Uint8Array<ArrayBuffer>[] = [];

  /** For as many calls at most; `memory` gives bytes that are all 0. */
  constructor(capacity: number, memory = newBytes) {
    this.#capacity = capacity;
    const end = HEADER_BYTES + capacity * STEP_BYTES;
    this.#bytes = memory(end + WORD);
    const { buffer, byteOffset, byteLength } = this.#bytes;
    this.words = new Int32Array(buffer, byteOffset, byteLength / 4);
    this.#base = placeOf(this.#bytes);
  }

  /** Adds a call by its number, and returns its place in the list. Arguments are whole numbers and addresses, at most six. */
  add(call: number, args: readonly number[]): number {
    const index = this.#count++;
    if (index >= this.#capacity || args.length > 6) {
      throw new RangeError("the list of calls is full");
    }
    const words = this.words;
    let at = HEADER_BYTES / 4 + index * STEP_WORDS;
    words[at] = call;
    words[at + 1] = call < 0 ? -1 : 0;
    for (let n = 0; n < args.length; n++) {
      const value = args[n]!;
      words[at + 2 + 2 * n] = value;
      words[at + 3 + 2 * n] = Math.floor(value / HALF);
    }
    // Results that nobody uses are written behind the list.
    const nowhere = this.#base + HEADER_BYTES + this.#capacity * STEP_BYTES;
    at += 18;
    for (let n = 0; n < 2; n++) {
      words[at + 2 * n] = nowhere;
      words[at + 1 + 2 * n] = Math.floor(nowhere / HALF);
    }
    return index;
  }

  /** Lets the list go on when this call fails. */
  mayFail(index: number): void {
    this.words[HEADER_BYTES / 4 + index * STEP_WORDS + 16] = 1;
  }

  /** Writes what a call returns to an address as well, as a number of 32 bits, unless it fails; at most two for one call. */
  writeResult(index: number, { to, nth = 0 }: {
    readonly to: number;
    readonly nth?: 0 | 1;
  }): void {
    const at = HEADER_BYTES / 4 + index * STEP_WORDS + 18 + 2 * nth;
    this.words[at] = to;
    this.words[at + 1] = Math.floor(to / HALF);
  }

  /** Gives a call what an earlier one returns as one of its arguments. */
  useResult(index: number, { of, argument, nth = 0 }: {
    readonly of: number;
    readonly argument: number;
    readonly nth?: 0 | 1;
  }): void {
    if (of >= index) throw new RangeError("a call uses the result of a later");
    const step = this.#base + HEADER_BYTES + index * STEP_BYTES;
    this.writeResult(of, { to: step + (1 + argument) * WORD, nth });
  }

  /** Makes the calls. Returns the place of the one that failed, -1 when all succeeded; undefined when memory may not be made executable. */
  run(): number | undefined {
    if (this.#call(0) === undefined) return undefined;
    const failed = (this.words[4]! >>> 0) + this.words[5]! * HALF;
    const first = this.#base + HEADER_BYTES;
    return failed === 0 ? -1 : (failed - first) / STEP_BYTES;
  }

  /**
   * Has them made by a child that clone(2) starts with these flags and that shares this memory, while this thread goes on.
   * The last call has to be `execve` or `exit_group`, and no signal may reach the child. Returns the child's process id, or
   * the negative errno; undefined when memory may not be made executable.
   */
  start(flags: number): number | undefined {
    return this.#call(flags);
  }

  #call(flags: number): number | undefined {
    const call = cloneCall();
    if (call === undefined) return undefined;
    const words = this.words;
    const first = this.#base + HEADER_BYTES;
    const end = first + this.#count * STEP_BYTES;
    [flags, first, 0, end].forEach((value, n) => {
      words[2 * n] = value;
      words[2 * n + 1] = Math.floor(value / HALF);
    });
    return call(this.#bytes);
  }

  /** Where memory lies that the calls point to; the list keeps it. */
  place(bytes: Uint8Array<ArrayBuffer>): number {
    this.#kept.push(bytes);
    return placeOf(bytes);
  }

  /** Forgets the calls. */
  clear(): void {
    this.#count = 0;
    this.#kept.length = 0;
    this.words.fill(0);
  }

  /**
   * Repeats all calls so far until they are there so many times, each the same as the first time but for what the caller
   * writes into {@link CallList.words}.
   */
  repeat(times: number): void {
    const size = this.#count * STEP_WORDS;
    const end = size * times;
    if (this.#count * times > this.#capacity) {
      throw new RangeError("the list of calls is full");
    }
    for (let done = size; done < end; done *= 2) {
      const count = Math.min(done, end - done);
      this.words.copyWithin(
        ...[CALL_AT.first + done, CALL_AT.first, CALL_AT.first + count],
      );
    }
    this.#count *= times;
  }

  /** Where the call with this place in the list lies. */
  addressOf(index: number): number {
    return this.#base + HEADER_BYTES + index * STEP_BYTES;
  }

  /** What a call returned, in full; exact below 2⁵³. */
  wide(index: number): number {
    const at = (HEADER_BYTES + index * STEP_BYTES + RESULT_AT) / 4;
    return (this.words[at]! >>> 0) + this.words[at + 1]! * HALF;
  }

  /** What a call returned: a number of 32 bits, or the negative errno; 0 for one that was not made. */
  result(index: number): number {
    return this.words[
      (HEADER_BYTES + index * STEP_BYTES + RESULT_AT) / 4
    ]!;
  }
}

function newBytes(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(size);
}

/** Whether the upper halves of addresses in a piece of memory differ. */
export function crosses(from: number, size: number): boolean {
  return Math.floor(from / HALF) !== Math.floor((from + size) / HALF);
}

/** Where memory lies, as a number: no machine has addresses of more than 52 bits. The memory must be kept while it is used. */
export function placeOf(bytes: Uint8Array<ArrayBuffer>): number {
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}
