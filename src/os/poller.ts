/** Waits for many descriptors on one thread: nothing runs while none of them has news. Linux and macOS. */
import { makePipe, processCalls } from "./c_process.ts";
import { errno } from "./libc.ts";
import { sleep } from "./process.ts";

/** What to wait for besides the other side's end, which is always told. */
export type Interest = "data" | "end";

/** Called with what happened; a descriptor that is not removed is told of again at once. */
export type OnNews = (news: { readonly ended: boolean }) => void;

const POLLIN = 0x1;
const ENDED = 0x8 | 0x10 | 0x20;
const RECORD_BYTES = 8;
const EINTR = 4;
const RETRY_MS = 10;

interface Watched {
  readonly fd: number;
  readonly interest: Interest;
  readonly onNews: OnNews;
}

/** One set of descriptors and the thread that waits for them. Use with `using`; it closes no descriptor but its own. */
export class Poller implements Disposable {
  readonly #watched = new Map<number, Watched>();
  readonly #wake = makePipe();
  #isWoken = false;
  #isOpen = true;
  /** Settled when the loop has ended. */
  readonly #done: Promise<void>;

  constructor() {
    this.#done = this.#run();
  }

  /** Calls `onNews` whenever there is some. */
  add(fd: number, interest: Interest, onNews: OnNews): void {
    this.#watched.set(fd, { fd, interest, onNews });
    this.#wakeUp();
  }

  /** Forgets a descriptor; to be called before it is closed. */
  remove(fd: number): void {
    if (this.#watched.delete(fd)) this.#wakeUp();
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    this.#wakeUp();
  }

  /** Waits until nothing is waited for any more; after disposal. */
  async finished(): Promise<void> {
    await this.#done;
  }

  #wakeUp(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    processCalls().write(this.#wake.into, new Uint8Array(1), 1n);
  }

  async #run(): Promise<void> {
    const { from, into } = this.#wake;
    while (this.#isOpen) {
      const watched = [...this.#watched.values()];
      const records = recordsOf([
        { fd: from, interest: "data" },
        ...watched,
      ]);
      const count = BigInt(records.length / RECORD_BYTES);
      const found = await processCalls().poll(records, count, -1);
      if (found <= 0) {
        // A signal, or no memory; errno belongs to the other thread.
        await sleep(RETRY_MS);
        continue;
      }
      this.#clearWake(newsIn(records, 0));
      watched.forEach((item, i) => this.#tell(item, newsIn(records, i + 1)));
    }
    processCalls().close(from);
    processCalls().close(into);
  }

  #clearWake(news: number): void {
    if (news === 0) return;
    processCalls().read(this.#wake.from, new Uint8Array(1), 1n);
    this.#isWoken = false;
  }

  #tell(item: Watched, news: number): void {
    // It may have been removed since, and its number given to another one.
    if (news === 0 || this.#watched.get(item.fd) !== item) return;
    item.onNews({ ended: (news & ENDED) !== 0 });
  }
}

function recordsOf(
  watched: readonly Pick<Watched, "fd" | "interest">[],
): Uint8Array<ArrayBuffer> {
  const records = new Uint8Array(watched.length * RECORD_BYTES);
  const view = new DataView(records.buffer);
  watched.forEach(({ fd, interest }, i) => {
    view.setInt32(i * RECORD_BYTES, fd, true);
    const events = interest === "data" ? POLLIN : 0;
    view.setInt16(i * RECORD_BYTES + 4, events, true);
  });
  return records;
}

function newsIn(records: Uint8Array<ArrayBuffer>, index: number): number {
  return new DataView(records.buffer).getInt16(index * RECORD_BYTES + 6, true);
}

/** Reads what is there, at most `buffer` full. Returns the number of bytes: 0 at the end, and when it broke off. */
export function readSome(fd: number, buffer: Uint8Array<ArrayBuffer>): number {
  while (true) {
    const size = BigInt(buffer.length);
    const count = Number(processCalls().read(fd, buffer, size));
    if (count >= 0) return count;
    if (errno() !== EINTR) return 0;
  }
}

/** Closes a descriptor. */
export function closeDescriptor(fd: number): void {
  processCalls().close(fd);
}
