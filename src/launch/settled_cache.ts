/**
 * What an install that had nothing to do said, and how everything looked that it had read: while all of that looks the same,
 * the next one has nothing to do either, and need not read a manifest and a lock with hundreds of entries.
 */
import { BUILD_INFO } from "../base/build_info.ts";
import {
  aenvRoot,
  type Dirs,
  dirsAt,
  LOCK_FILE,
  MANIFEST_FILE,
  PROJECT_FILE,
} from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, basename, join, parent } from "../base/paths.ts";
import { escapeControl } from "../base/text.ts";
import { type OpenEnv, resolveEnv } from "../env/mod.ts";
import { epochMs } from "../os/clock.ts";
import {
  ensureDir,
  lstat,
  readDir,
  readText,
  realPath,
  removeTree,
  writeAtomic,
} from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import type { Host } from "../os/host.ts";
import { type Mark, markOf, OpenDirectory, pathList } from "../os/marks.ts";
import { parseTreeHash } from "../store/mod.ts";
import { checkOwner, recordPaths } from "../trust/mod.ts";

/** Bytes of one file, and how many files there may be. */
const MAX_BYTES = 1 << 24;
const MAX_FILES = 100;
/** A file that changed as recently as this (microseconds) may change again without looking different. */
const SETTLED = 2e6;

/** How a file looked: inode, size, times of change in microseconds; null where there was none. */
type Seen = readonly [number, number, number, number] | null;

/** What is kept of one env. */
interface Kept {
  readonly about: string;
  /** The env's directory below `envs/`. */
  readonly slot: string;
  /** See {@link SettledCache.#look}. */
  readonly seen: readonly Seen[];
  /** Seals below `objects/`, and three numbers for each; see `Looks`. */
  readonly seals: readonly string[];
  readonly looks: readonly number[];
  /** What was said, by lines. */
  readonly said: readonly string[];
}

/** For one env. Anything wrong with the file costs time, and nothing else. */
export class SettledCache {
  readonly #host: Host;
  readonly #dirs: Dirs;
  /** By its real directory. */
  readonly #manifest: AbsPath;
  readonly #isProject: boolean;
  /** Before anything was read. */
  readonly #first: readonly Seen[];

  private constructor(
    host: Host,
    dirs: Dirs,
    { manifest, isProject }: { manifest: AbsPath; isProject: boolean },
  ) {
    this.#host = host;
    this.#dirs = dirs;
    this.#manifest = manifest;
    this.#isProject = isProject;
    this.#first = this.#look();
  }

  /** For the active env; undefined for one of which nothing can be kept. Throws what finding it throws. */
  static of(host: Host): SettledCache | undefined {
    const dirs = dirsAt(aenvRoot(host.env, () => host.home()));
    const { ref } = resolveEnv(host, dirs);
    if (ref.kind === "global") return undefined;
    const isProject = ref.kind === "project";
    const dir = isProject
      ? realPath(parent(ref.manifest))
      : join(dirs.envs, ref.name);
    if (dir === undefined || lstat(dir)?.kind !== "directory") return undefined;
    const name = isProject ? basename(ref.manifest) : MANIFEST_FILE;
    const manifest = join(dir, name);
    return new SettledCache(host, dirs, { manifest, isProject });
  }

  /** What the last install said, when nothing has changed since. Throws `MANIFEST_UNTRUSTED`. */
  said(): string | undefined {
    const kept = this.#read();
    if (kept?.about !== this.#about) return undefined;
    const hasSeen = isSame(kept.seen, this.#first) && this.#isThere(kept.slot);
    if (!hasSeen || !this.#hasSeals(kept)) return undefined;
    if (this.#isProject) checkOwner(this.#manifest, this.#manifest, this.#host);
    return kept.said.map(escapeControl).join("\n");
  }

  /** Remembers what an install said that needed these trees and had nothing to do. */
  keep(env: OpenEnv, trees: readonly string[], text: string): void {
    const seen = this.#look();
    const isOther = env.manifestPath !== this.#manifest ||
      !isSame(seen, this.#first) || seen[0] === null || seen[1] === null;
    if (isOther) return;
    const seals = trees.map(parseTreeHash).map((tree) =>
      `${tree.slice(0, 2)}/${tree}/seal.json`
    );
    const marks = this.#marksOf(seals);
    if (marks === undefined) return;
    this.#write({
      about: this.#about,
      slot: env.slotName,
      seen,
      seals,
      looks: marks.flatMap(({ ino, mtime, ctime }) => [ino, mtime, ctime]),
      said: text.split("\n"),
    });
  }

  /** Whatever else the answer depends on. */
  get #about(): string {
    const home = this.#host.env["HOME"] ?? "";
    return JSON.stringify([BUILD_INFO, this.#manifest, home]);
  }

  get #path(): AbsPath {
    const id = sha256Hex(this.#manifest).slice(0, 32);
    return join(this.#dirs.cache, "settled", `${id}.json`);
  }

  /** How manifest, lock and the record of trust look. */
  #look(): Seen[] {
    const lock = join(parent(this.#manifest), LOCK_FILE);
    const [record] = recordPaths(this.#dirs, this.#manifest);
    return [this.#manifest, lock, record].map(seenAt);
  }

  /** Whether the home knows of a project. */
  #isThere(slot: string): boolean {
    const known = join(this.#dirs.envs, slot, PROJECT_FILE);
    return (lstat(known) !== undefined) === this.#isProject;
  }

  get #objects(): AbsPath {
    return join(this.#dirs.store, "objects");
  }

  #hasSeals({ seals, looks }: Kept): boolean {
    if (seals.length === 0) return true;
    if (lstat(this.#objects)?.kind !== "directory") return false;
    using directory = new OpenDirectory(this.#objects);
    const numbers = Float64Array.from(looks);
    return directory.countAlike(pathList(seals), [{ numbers }]) ===
      seals.length;
  }

  #marksOf(seals: readonly string[]): Mark[] | undefined {
    if (seals.length === 0) return [];
    using directory = new OpenDirectory(this.#objects);
    const marks = seals.map((seal) => directory.markOf(seal))
      .filter((mark) => mark !== undefined && isSettled(mark));
    return marks.length === seals.length ? marks as Mark[] : undefined;
  }

  #read(): Kept | undefined {
    try {
      const value: unknown = JSON.parse(readText(this.#path, MAX_BYTES) ?? "0");
      return isKept(value) ? value : undefined;
    } catch (error) {
      const isUnusable = error instanceof SyntaxError ||
        error instanceof AppError;
      if (!isUnusable) throw error;
      return undefined;
    }
  }

  /** Where that can be written. */
  #write(kept: Kept): void {
    const dir = parent(this.#path);
    try {
      // Of envs that are gone too: all is found out again.
      if ((readDir(dir) ?? []).length >= MAX_FILES) removeTree(dir);
      ensureDir(dir);
      writeAtomic(this.#path, JSON.stringify(kept) + "\n");
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "IO") throw error;
    }
  }
}

/** What is no plain file, or has just been changed, is like nothing. */
function seenAt(path: AbsPath): Seen {
  const mark = markOf(path);
  if (mark === undefined) return null;
  if (mark.kind !== "file" || !isSettled(mark)) return [0, 0, 0, 0];
  return [mark.ino, mark.size, mark.mtime, mark.ctime];
}

function isSettled({ ctime }: Mark): boolean {
  return ctime !== 0 && ctime < epochMs() * 1000 - SETTLED;
}

function isSame(a: readonly Seen[], b: readonly Seen[]): boolean {
  return a.length === b.length && a.every((one, i) => {
    const other = b[i]!;
    if (one === null || other === null) return one === other;
    return one[0] !== 0 && one.every((number, at) => number === other[at]);
  });
}

function isKept(value: unknown): value is Kept {
  if (typeof value !== "object" || value === null) return false;
  const { about, slot, seen, seals, looks, said } = value as Partial<Kept>;
  const areTexts = (list: unknown) =>
    Array.isArray(list) && list.every((item) => typeof item === "string");
  return typeof about === "string" && typeof slot === "string" &&
    /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(slot) &&
    areTexts(seals) && areTexts(said) &&
    Array.isArray(looks) && looks.length === seals!.length * 3 &&
    Array.isArray(seen) &&
    seen.every((one) =>
      one === null || (Array.isArray(one) && one.length === 4)
    );
}
