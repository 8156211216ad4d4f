/** Several sources asked at once, as if it had been one after the other. */
import type { SourceEvent } from "../sources/mod.ts";
import { type Supply, supplyFor } from "./install_fetch.ts";

/** How many sources are asked at the same time. */
const AT_ONCE = 6;

/**
 * Does `work` for each item, and returns the results in the items' order. Warnings come in that order too, and what is
 * thrown is what the first of the items that fail throws: whichever is faster. When this returns nothing runs any more.
 */
export async function supplyEach<Item extends { readonly name: string }, T>(
  supply: Supply,
  items: readonly Item[],
  work: (item: Item, own: Supply) => Promise<T>,
): Promise<T[]> {
  const batch = new Batch<T>(supply, items.length);
  const queue = items.entries();
  const takeTurns = async () => {
    for (const [index, item] of queue) {
      if (batch.hasFailed) return;
      await batch.settle(index, () => {
        const at = { index, count: items.length };
        return work(item, supplyFor(batch.supplyOf(index), item.name, at));
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, takeTurns));
  return batch.results();
}

/** What has become of the items. */
class Batch<T> {
  readonly #supply: Supply;
  readonly #stop = new AbortController();
  readonly #results: T[] = [];
  readonly #isDone: boolean[];
  readonly #held: SourceEvent[][];
  /** All before this one are done; what it warns of can be said. */
  #turn = 0;
  #failure: { readonly index: number; readonly error: unknown } | undefined;

  constructor(supply: Supply, count: number) {
    const { signal } = supply.context;
    const stop = this.#stop.signal;
    const both = signal === undefined ? stop : AbortSignal.any([signal, stop]);
    this.#supply = { ...supply, context: { ...supply.context, signal: both } };
    this.#isDone = Array.from({ length: count }, () => false);
    this.#held = Array.from({ length: count }, () => []);
  }

  /** Items come in order, so none that has yet to begin can matter then. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** The supply of one item. */
  supplyOf(index: number): Supply {
    const { context } = this.#supply;
    const progress = (event: SourceEvent) => {
      const mustWait = event.type === "warning" && index !== this.#turn;
      if (mustWait) this.#held[index]!.push(event);
      else context.progress(event);
    };
    return { ...this.#supply, context: { ...context, progress } };
  }

  /** Runs one item to its end. Never throws. */
  async settle(index: number, run: () => Promise<T>): Promise<void> {
    try {
      this.#results[index] = await run();
      this.#isDone[index] = true;
    } catch (error) {
      // All of them are rethrown, but for those that come after another one.
      if (index < (this.#failure?.index ?? Infinity)) {
        this.#failure = { index, error };
      }
    }
    while (this.#isDone[this.#turn]) {
      this.#turn++;
      this.#held[this.#turn]?.forEach(this.#supply.context.progress);
    }
    // No earlier one can fail any more. Before, it could be waiting for what a later one downloads.
    if (this.#turn === this.#failure?.index) this.#stop.abort();
  }

  /** Throws the failure that counts. */
  results(): T[] {
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#results;
  }
}
