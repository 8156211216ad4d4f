/** What `list` read out of manifests, by how their files looked: reading a thousand of them takes longer than all else. */
import { BUILD_INFO } from "../base/build_info.ts";
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { epochMs } from "../os/clock.ts";
import { ensureDir, readText, writeAtomic } from "../os/fs.ts";
import type { Mark } from "../os/marks.ts";

/** What a row of the listing takes from a manifest. */
export interface ManifestFacts {
  readonly broken: string | null;
  readonly isolation: "private" | "overlay" | null;
  readonly description: string;
}

/** Inode, size, times of change in microseconds, then the facts. */
type CacheRow = readonly [
  ino: number,
  size: number,
  mtime: number,
  ctime: number,
  broken: string | null,
  isolation: ManifestFacts["isolation"],
  description: string,
];

/** With fewer environments than this nothing is kept. */
const MIN_COUNT = 100;
/** A file that changed as recently as this (microseconds) may change again without looking different. */
const SETTLED = 2e6;

/** Valid for one build: another one may read manifests otherwise. Anything wrong with the file costs time, and nothing else. */
export class ListCache {
  readonly #path: AbsPath;
  readonly #dirs: Dirs;
  readonly #known: Readonly<Record<string, CacheRow>>;
  readonly #rows: Record<string, CacheRow> = Object.create(null);
  #isChanged = false;

  private constructor(dirs: Dirs) {
    this.#dirs = dirs;
    this.#path = join(dirs.cache, "list.json");
    this.#known = readRows(this.#path);
  }

  /** Undefined when so many environments are read as fast without. */
  static of(dirs: Dirs, count: number): ListCache | undefined {
    return count < MIN_COUNT ? undefined : new ListCache(dirs);
  }

  /** What the manifest of an env said when it looked like this. */
  get(name: string, mark: Mark): ManifestFacts | undefined {
    if (!Object.hasOwn(this.#known, name)) return undefined;
    const row = this.#known[name]!;
    const [ino, size, mtime, ctime, broken, isolation, description] = row;
    const isSame = ino === mark.ino && size === mark.size &&
      mtime === mark.mtime && ctime === mark.ctime;
    if (!isSame) return undefined;
    this.#rows[name] = row;
    return { broken, isolation, description };
  }

  /** Remembers it. */
  set(name: string, mark: Mark, facts: ManifestFacts): void {
    const { ino, size, mtime, ctime } = mark;
    if (ctime === 0 || ctime > epochMs() * 1000 - SETTLED) return;
    const { broken, isolation, description } = facts;
    this.#rows[name] = [
      ino,
      size,
      mtime,
      ctime,
      broken,
      isolation,
      description,
    ];
    this.#isChanged = true;
  }

  /** Writes what was remembered, where that can be written. */
  save(): void {
    if (!this.#isChanged) return;
    const value = { build: BUILD_INFO, rows: this.#rows };
    try {
      ensureDir(this.#dirs.cache);
      writeAtomic(this.#path, JSON.stringify(value) + "\n");
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "IO") throw error;
    }
  }
}

function readRows(path: AbsPath): Readonly<Record<string, CacheRow>> {
  try {
    const value: unknown = JSON.parse(readText(path, 1 << 26) ?? "{}");
    const { build, rows } = value as { build?: unknown; rows?: unknown };
    return JSON.stringify(build) === JSON.stringify(BUILD_INFO) && isRows(rows)
      ? rows
      : {};
  } catch (error) {
    const isUnusable = error instanceof SyntaxError ||
      error instanceof TypeError || error instanceof AppError;
    if (!isUnusable) throw error;
    return {};
  }
}

function isRows(value: unknown): value is Record<string, CacheRow> {
  return typeof value === "object" && value !== null &&
    Object.values(value).every((row) =>
      Array.isArray(row) && row.length === 7 &&
      row.slice(0, 4).every((part) => typeof part === "number") &&
      (row[4] === null || typeof row[4] === "string") &&
      [null, "private", "overlay"].includes(row[5]) &&
      typeof row[6] === "string"
    );
}
