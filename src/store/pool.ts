/**
 * The second copy of an object's files, the only one that is linked into environments. A write through such a link changes
 * this copy and never the object, so it can be mended from there. Each file is named by its entry's number.
 */
import { type AbsPath, join } from "../base/paths.ts";
import type { Mark } from "../os/marks.ts";
import { Marks, readMarks, readRecord } from "./marks.ts";
import type { StoredObject } from "./objects.ts";

/**
 * When the files got their latest links, microseconds. Making a link changes the change time of all names of a file; a
 * change time in this span is ours. It is a fraction of a second, and the store is locked meanwhile.
 */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The linked copy of an object. */
export class Pool {
  readonly dir: AbsPath;
  readonly marks: Marks;
  readonly #span: Span | undefined;

  private constructor(dir: AbsPath, marks: Marks, span: Span | undefined) {
    this.dir = dir;
    this.marks = marks;
    this.#span = span;
  }

  /** The record of the pool as it is now; an empty one when there is none. */
  static read(object: StoredObject): Pool {
    const marks = readMarks(poolRecordPath(object.dir)) ?? new Marks();
    const { from, to } = readRecord(spanPath(object.dir)) ?? {};
    const span = typeof from === "number" && typeof to === "number"
      ? { from, to }
      : undefined;
    return new Pool(poolDir(object.dir), marks, span);
  }

  /** Path of the file that stands for the entry with this number. */
  fileAt(index: number): AbsPath {
    return `${this.dir}/${index}` as AbsPath;
  }

  /** Whether this file, under whatever name it was found, is the pool's and has not been written. */
  isSame(index: number, mark: Mark): boolean {
    if (this.marks.isSame(index, mark)) return true;
    const span = this.#span;
    return span !== undefined && this.marks.isSameFile(index, mark) &&
      span.from <= mark.ctime && mark.ctime <= span.to;
  }
}

/** Directory of an object's pool. */
export function poolDir(dir: AbsPath): AbsPath {
  return join(dir, "shared");
}

/** Path of the record of how the pool's files looked. */
export function poolRecordPath(dir: AbsPath): AbsPath {
  return join(dir, "shared.json");
}

/** Path of the record of when they were linked. */
export function spanPath(dir: AbsPath): AbsPath {
  return join(dir, "span.json");
}
