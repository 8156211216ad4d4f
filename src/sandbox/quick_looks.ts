/** The looks that a remembered launch rests on: those that were recorded, as few of them as say the same. */
import { type AbsPath, parent } from "../base/paths.ts";
import { readLink } from "../os/fs.ts";
import type { LookList } from "../os/looks.ts";
import { FACT, FACT_WORDS, statMany } from "../os/stat_list.ts";
import type { Recorded } from "./looks.ts";
import { kindOf, LOOK_BITS, LOOK_FACTS, LOOK_WORDS } from "./quick.ts";
import { bytesOf } from "./quick_format.ts";

/** A file that changed as recently as this (microseconds) may change again without looking different. */
export const SETTLED = 2e6;
/** Directories that hold much of what is looked at and seldom change. */
const STEADY: readonly string[] = ["/", "/dev", "/etc", "/usr"];
const KIND_LOOKS = "KT";
/** Of links on the way to a path. */
const MAX_LINKS = 40;

/** Looks that have to find the same again. */
export class Looks {
  readonly #codes: string[] = [];
  readonly #paths: string[] = [];
  /** What was found when it was recorded; undefined for what is looked at just now. */
  readonly #numbers: (readonly number[] | undefined)[] = [];
  readonly #known = new Set<string>();

  /** Takes all of a list but what `isOwn` says. False when it is not understood. */
  take(list: LookList, isOwn: (path: string) => boolean): boolean {
    const paths = list.paths.split("\0");
    if (paths.pop() !== "" || paths.length !== list.codes.length) return false;
    let at = 0;
    for (const [i, path] of paths.entries()) {
      const code = list.codes[i]!;
      const length = KIND_LOOKS.includes(code) ? 1 : 6;
      if (!isOwn(path)) {
        this.#add(code, path, list.numbers.slice(at, at + length));
      }
      at += length;
    }
    return at === list.numbers.length;
  }

  /** Takes ways that end somewhere: each link on them has to be as it is. */
  takeReal(real: Recorded["real"]): boolean {
    return Object.entries(real).every(([path, end]) =>
      end !== null && this.#follow(path) === end
    );
  }

  /** Takes the kind that an entry has now. */
  kind(path: string): void {
    this.#add("K", path);
  }

  /** Takes directories that say much of what else is looked at. */
  steady(dirs = STEADY): void {
    for (const dir of dirs) this.#add("F", dir);
  }

  /** The paths, as one text. */
  text(): string {
    return this.#paths.map((path) => `${path}\0`).join("");
  }

  /** Codes, paths and what is found there now; undefined when that is not what was recorded. */
  seen(now: number): Uint8Array<ArrayBuffer>[] | undefined {
    const rows = this.#rows();
    if (rows === undefined) return undefined;
    const isImplied = impliedBy(rows, now);
    const kept = rows.filter((row) => !isImplied(row));
    const numbers = kept.flatMap(({ code, facts }) =>
      facts.slice(0, KIND_LOOKS.includes(code) ? LOOK_WORDS.kind : undefined)
    );
    return [
      Uint8Array.from(kept, ({ code }) => bitsOf(code)),
      new TextEncoder().encode(kept.map(({ path }) => `${path}\0`).join("")),
      bytesOf(new Int32Array(numbers)),
    ];
  }

  #rows(): Look[] | undefined {
    const codes = Uint8Array.from(this.#codes, bitsOf);
    const found = statMany(new TextEncoder().encode(this.text()), codes);
    if (found === undefined) return undefined;
    const rows = this.#codes.map((code, i): Look => {
      const words = found.words.subarray(i * FACT_WORDS, (i + 1) * FACT_WORDS);
      const kind = kindOf(found.result(i), words[FACT.mode]!);
      const facts = [kind, ...LOOK_FACTS.map((n) => words[n]!)];
      return { code, path: this.#paths[i]!, facts };
    });
    const isSame = rows.every(({ facts }, i) =>
      isAsRecorded(facts, this.#numbers[i])
    );
    return isSame ? rows : undefined;
  }

  #add(code: string, path: string, numbers?: readonly number[]): void {
    if (this.#known.has(code + path)) return;
    this.#known.add(code + path);
    this.#codes.push(code);
    this.#paths.push(path);
    this.#numbers.push(numbers);
  }

  /** Where a path leads, with a look at each step; undefined when nowhere. */
  #follow(path: string): string | undefined {
    const left = path.split("/").reverse();
    const done: string[] = [];
    for (let links = 0; left.length > 0;) {
      const name = left.pop()!;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        done.pop();
        continue;
      }
      const at = "/" + [...done, name].join("/");
      const target = readLink(at);
      if (target === undefined) {
        this.#add("K", at);
        done.push(name);
        continue;
      }
      if (++links > MAX_LINKS) return undefined;
      this.#add("F", at);
      if (target.startsWith("/")) done.length = 0;
      left.push(...target.split("/").reverse());
    }
    return "/" + done.join("/");
  }
}

/** One look, and what it finds: {@link LOOK_WORDS}. */
interface Look {
  readonly code: string;
  readonly path: string;
  readonly facts: readonly number[];
}

/** Types as the upper bits of a mode have them. */
const [DIRECTORY, LINK] = [4, 10];

/**
 * Says which looks find the same as long as a directory looks the same: nothing in it can become of another kind, appear,
 * disappear or lead elsewhere without a change of the directory itself. (What is mounted on an entry may be another kind of
 * file; the rules are checked for directories when they are made.)
 */
function impliedBy(
  rows: readonly Look[],
  now: number,
): (look: Look) => boolean {
  const dirs = new Set(
    rows.filter(({ code, facts }) =>
      code === "F" && facts[0] === DIRECTORY && latestOf(facts) < now - SETTLED
    ).map(({ path }) => path),
  );
  const plain = new Set(
    rows.filter(({ code, facts }) => code === "K" && facts[0] !== LINK)
      .map(({ path }) => path),
  );
  return ({ code, path, facts }) => {
    const kind = facts[0]!;
    if (kind < 0 || path === "/" || !dirs.has(parent(path as AbsPath))) {
      return false;
    }
    return code === "K" || (code === "F" && kind === LINK) ||
      (code === "T" && plain.has(path));
  };
}

/** When an entry was last written or changed, in microseconds since the epoch. */
function latestOf(facts: readonly number[]): number {
  const micros = (at: number) =>
    (facts[at]! >>> 0) * 1e6 + Math.floor((facts[at + 1]! >>> 0) / 1000);
  return Math.max(micros(5), micros(7));
}

function bitsOf(code: string): number {
  return ("ST".includes(code) ? LOOK_BITS.follows : 0) |
    (KIND_LOOKS.includes(code) ? 0 : LOOK_BITS.all);
}

/** Kind, device, inode, size, and microseconds of the last write and change. */
function isAsRecorded(
  facts: readonly number[],
  numbers: readonly number[] | undefined,
): boolean {
  if (numbers === undefined) return true;
  if (numbers[0] !== facts[0]) return false;
  if (numbers.length === 1 || facts[0]! <= 0) return true;
  const words = facts.slice(1).map((word) => word >>> 0);
  const wide = (at: number) => words[at]! + words[at + 1]! * 2 ** 32;
  const micros = (at: number) =>
    words[at]! * 1e6 + Math.floor(words[at + 1]! / 1000);
  // In the order of LOOK_FACTS: inode, size, changed, written, device.
  const device = words[8]! * 2 ** 20 + words[9]!;
  const now = [device, wide(0), wide(2), micros(6), micros(4)];
  return now.every((value, i) => value === numbers[i + 1]);
}
