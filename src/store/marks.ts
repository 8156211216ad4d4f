/** How entries looked when their contents were known to be right: whatever looks the same still is. */
import type { AbsPath } from "../base/paths.ts";
import { isLike, type Look, type Mark } from "../os/marks.ts";
import { readRecord } from "./records.ts";

/** Number of values that are kept of a {@link Mark}: inode, time of the last write, time of the last change. */
export const WIDTH = 3;

/**
 * Marks by number: 0 is the root of a tree, then come its entries. Recorded are only such as were seen after the clock had
 * moved on from their change time: then every later change gives another one, and no process can set it back.
 */
export class Marks {
  readonly numbers: Float64Array;

  /** `numbers` as they were recorded. */
  constructor(numbers: Float64Array) {
    this.numbers = numbers;
  }

  /** None yet, for a root and this many entries. */
  static none(entries: number): Marks {
    return new Marks(new Float64Array((entries + 1) * WIDTH));
  }

  /** From a record; none when there is no such record for this many entries. */
  static read(path: AbsPath, entries: number): Marks {
    const none = Marks.none(entries);
    const numbers = readRecord(path)?.numbers;
    return numbers?.length === none.numbers.length ? new Marks(numbers) : none;
  }

  /** How many entries these are the marks of. */
  get entries(): number {
    return this.numbers.length / WIDTH - 1;
  }

  set(index: number, { ino, mtime, ctime }: Mark): void {
    // Without a change time (Windows) nothing may be taken as unchanged.
    this.numbers.set(
      ctime === 0 ? [0, 0, 0] : [ino, mtime, ctime],
      index * WIDTH,
    );
  }

  /** Whether the entry still is what it was. */
  isSame(index: number, look: Look): boolean {
    return isLike(this, index, look);
  }

  /** Whether this is the inode that was recorded. */
  isInode(index: number, { ino }: Look): boolean {
    return ino !== 0 && this.numbers[index * WIDTH] === ino;
  }
}
