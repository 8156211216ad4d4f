/**
 * The second copy of an object's files, the only one that is linked into environments. A write through such a link changes
 * this copy and never the object, so it can be mended from there. Each file is named by its entry's number.
 */
import { type AbsPath, join } from "../base/paths.ts";
import { isLike, type Look, type Looks } from "../os/marks.ts";
import { Marks } from "./marks.ts";
import { readRecord } from "./records.ts";

/**
 * When the files got or lost their latest links, microseconds. Both change the change time of all names of a file; a change
 * time in this span is ours. It is a fraction of a second, and the object is locked meanwhile.
 */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The linked copy of an object. */
export class Pool implements Looks {
  readonly dir: AbsPath;
  readonly marks: Marks;
  readonly from: number;
  readonly to: number;

  private constructor(dir: AbsPath, marks: Marks, { from, to }: Span) {
    this.dir = dir;
    this.marks = marks;
    this.from = from;
    this.to = to;
  }

  /** The records of the pool of the object in `dir` as they are now. */
  static read(dir: AbsPath, entries: number): Pool {
    const marks = Marks.read(poolRecordPath(dir), entries);
    const [from, to] = readRecord(spanPath(dir))?.numbers ?? [];
    // No time is in a span from 1 to 0.
    return new Pool(poolDir(dir), marks, { from: from ?? 1, to: to ?? 0 });
  }

  get numbers(): Float64Array {
    return this.marks.numbers;
  }

  /** Path of the file that stands for the entry with this number. */
  fileAt(index: number): AbsPath {
    return `${this.dir}/${index}` as AbsPath;
  }

  /** Whether this file, under whatever name it was found, is the pool's and has not been written. */
  isSame(index: number, look: Look): boolean {
    return isLike(this, index, look);
  }
}

/** Directory of the pool of the object in `dir`. */
export function poolDir(dir: AbsPath): AbsPath {
  return join(dir, "shared");
}

/** Path of the record of how the pool's files looked. */
export function poolRecordPath(dir: AbsPath): AbsPath {
  return join(dir, "shared.marks");
}

/** Path of the record of when they were linked. */
export function spanPath(dir: AbsPath): AbsPath {
  return join(dir, "shared.span");
}
