/** A long copy that the kernel makes: what nobody here looks at need not pass through here. */
import type { Connection } from "../../os/sockets.ts";
import { Splice } from "../../os/splice.ts";
import { nextTurn, within } from "../../os/timers.ts";

/** What is copied in the usual way while one waits for more, or for room. */
const WAIT_BYTES = 16 * 1024;
/** Its descriptors are given back when so many times in a row less than so much came at once, or nothing for so long. */
const FEW_BYTES = 32 * 1024;
const FEW_TIMES = 16;
const IDLE_MS = 1000;
/** After so much at once it is the others' turn. */
const TURN_BYTES = 2 * 1024 * 1024;

/** From where to where. */
export interface Way {
  readonly from: Connection;
  readonly to: Connection;
  /** Sends all of some bytes to `to`. */
  readonly send: (bytes: Uint8Array) => Promise<void>;
  /** Hears of everything that moves. */
  readonly onUse: () => void;
}

/** How far it came. */
export interface Moved {
  /** All of these have been sent. */
  readonly count: number;
  /** Whether nothing more will come. */
  readonly isEnded: boolean;
  /** Whether the kernel does this at all. */
  readonly works: boolean;
}

/** One direction. Use with `using`. */
export class FastCopy implements Disposable {
  readonly #way: Way;
  readonly #splice: Splice;
  readonly #room = new Uint8Array(WAIT_BYTES);

  private constructor(way: Way, splice: Splice) {
    this.#way = way;
    this.#splice = splice;
  }

  /** Undefined when the kernel cannot, or does so for many others now. */
  static open(way: Way): FastCopy | undefined {
    const splice = Splice.open(way.from, way.to);
    return splice && new FastCopy(way, splice);
  }

  /** Copies while much comes, `max` bytes at most. */
  async copy(max: number): Promise<Moved> {
    let count = 0;
    for (let times = 0; count < max && times < FEW_TIMES; times++) {
      const first = await this.#wait(max - count);
      if (first === undefined) return { count, isEnded: true, works: true };
      count += first;
      if (this.#splice.isClosed) break;
      const burst = await this.#burst(max - count);
      count += burst.count;
      if (burst.isEnded || !burst.works) return { ...burst, count };
      if (first + burst.count >= FEW_BYTES) times = 0;
    }
    return { count, isEnded: false, works: true };
  }

  /** Waits for bytes, takes the first ones, and says how many these are; undefined at the end. */
  async #wait(max: number): Promise<number | undefined> {
    const { from, send, onUse } = this.#way;
    const reading = from.read(this.#room.subarray(0, max));
    const soon = await within(reading, IDLE_MS);
    if (soon === undefined) this.#splice[Symbol.dispose]();
    const count = await reading;
    onUse();
    if (count === null) return undefined;
    const bytes = this.#room.subarray(0, count);
    if (this.#splice.isClosed) await send(bytes);
    else this.#splice.put(bytes);
    return count;
  }

  /** Copies until nothing more is there, and all of it has gone. */
  async #burst(max: number): Promise<Moved> {
    const splice = this.#splice;
    let count = 0;
    let turn = 0;
    let isEnded = false;
    while (true) {
      const step = splice.step(isEnded ? 0 : max - count);
      count += step.taken;
      turn += step.given;
      isEnded ||= step.isEnded;
      if (step.taken > 0 || step.given > 0) {
        this.#way.onUse();
      } else if (splice.held === 0) {
        return { count, isEnded, works: splice.works };
      } else {
        // The other side has no room. A small part that waits for it tells when there is some again.
        await this.#way.send(splice.take(this.#room));
        turn = 0;
      }
      if (turn < TURN_BYTES) continue;
      await nextTurn();
      turn = 0;
    }
  }

  [Symbol.dispose](): void {
    this.#splice[Symbol.dispose]();
  }
}
