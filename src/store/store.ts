/** An opened store: its places, its locks, and the objects that it keeps from being collected. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, isAbsolutePath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { discard } from "../os/discard.ts";
import {
  chmod,
  ensureDir,
  lstat,
  makeDir,
  readDir,
  readText,
  removeFile,
  removeTree,
  tempName,
  writeNew,
} from "../os/fs.ts";
import { isAlive, LifeSign, withLock } from "../os/lock.ts";
import { markOf } from "../os/marks.ts";
import { sleep } from "../os/process.ts";
import { isTreeHash, type TreeHash } from "./entries.ts";
import { objectDirIn } from "./layout.ts";

/** A name that {@link tempName} gives. */
const TEMP_NAME = /^\.tmp-[0-9a-f-]{36}$/;
/** File systems have clocks of one step in 2 seconds at worst. */
const MAX_SETTLE_MS = 3000;

/**
 * A store, opened. Objects that are inserted, linked or held through it are safe from {@link collectGarbage} until it is
 * disposed of or the process ends, however that happens. Opening does nothing on the disk.
 */
export class Store implements Disposable {
  readonly root: AbsPath;
  #sign: LifeSign | undefined;

  /** `root` is made when it is first written to. It may be a link; nothing in it may. */
  constructor(root: AbsPath) {
    this.root = root;
  }

  /** Directory with everything about one object. */
  objectDir(hash: TreeHash): AbsPath {
    return objectDirIn(this.root, hash);
  }

  /** Lock for whoever links an object's files. Some objects share one; it stays when they go. */
  lockOf(hash: TreeHash): AbsPath {
    return join(this.root, "locks", hash.slice(0, 2));
  }

  /** A part of the store, which must be a real directory. Undefined when it is not there. Throws `STORE_CORRUPT`. */
  part(...names: string[]): AbsPath | undefined {
    let path = this.root;
    for (const name of names) {
      path = join(path, name);
      const kind = lstat(path)?.kind;
      if (kind === undefined) return undefined;
      if (kind !== "directory") throw planted(path);
    }
    return path;
  }

  /** A part of the store, made when it is not there. Throws `STORE_CORRUPT`, `IO`. */
  makePart(...names: string[]): AbsPath {
    ensureDir(this.root);
    let path = this.root;
    for (const name of names) {
      path = join(path, name);
      if (lstat(path) === undefined) makeDir(path, { mayExist: true });
      if (lstat(path)?.kind !== "directory") throw planted(path);
    }
    return path;
  }

  /**
   * Keeps an object from being collected, then runs `work`, during which nothing is collected. A collection that has
   * begun is waited for.
   */
  async claim<T>(hash: TreeHash, work: () => T | Promise<T>): Promise<T> {
    const sign = await this.#life();
    return await withLock(this.#lock, () => {
      sign.say(hash);
      return work();
    }, { shared: true });
  }

  /** Runs `work` while no object can be claimed or put in place. */
  async alone<T>(work: () => T | Promise<T>): Promise<T> {
    await this.#life();
    return await withLock(this.#lock, work);
  }

  /** Runs `work` while nobody else mends what stands in the slot of this name. */
  async mending<T>(slotName: string, work: () => Promise<T>): Promise<T> {
    return await withLock(join(this.root, "locks", `slot-${slotName}`), work);
  }

  /** Path for something of this process in the store; nothing is there. Swept when the process is gone. */
  async tempPath(): Promise<AbsPath> {
    return join(await this.#tempDir(), tempName());
  }

  /** Path for something of this process in `dir`, outside of the store. Swept when the process is gone. */
  async tempPathIn(dir: AbsPath): Promise<AbsPath> {
    const sign = await this.#life();
    const path = join(dir, tempName());
    sign.say(JSON.stringify(path));
    return path;
  }

  /**
   * The change time that something changed now would get, in microseconds. Of the file system, not of this machine:
   * its clock may be another one, and it moves in steps.
   */
  async now(): Promise<number> {
    const probe = join(await this.#tempDir(), "clock");
    if (lstat(probe) === undefined) writeNew(probe, "");
    chmod(probe, 0o600);
    return markOf(probe)?.ctime ?? 0;
  }

  /**
   * Waits until whatever changes gets a change time later than `time`. False when that takes too long, when there are no
   * change times, or when nothing can be written here.
   */
  async settle(time: number): Promise<boolean> {
    if (!await this.isWritable()) return false;
    for (let waited = 0; waited < MAX_SETTLE_MS; waited++) {
      const now = await this.now();
      if (now > time) return true;
      if (now === 0) return false;
      await sleep(1);
    }
    return false;
  }

  /** Whether something can be written here: not on a read-only file system. */
  async isWritable(): Promise<boolean> {
    try {
      await this.now();
      return true;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "IO") throw error;
      return false;
    }
  }

  /** Objects that living processes keep. Inside {@link alone}. */
  claimed(): Set<TreeHash> {
    const found = new Set<TreeHash>();
    for (const { name } of readDir(join(this.root, "holds")) ?? []) {
      const text = readText(join(this.root, "holds", name), 1 << 26) ?? "";
      for (const line of text.split("\n")) {
        if (isTreeHash(line)) found.add(line);
      }
    }
    return found;
  }

  /** Removes what dead processes left behind, and lets go of everything. */
  [Symbol.dispose](): void {
    const sign = this.#sign;
    if (sign === undefined) return;
    this.#sign = undefined;
    removeTree(join(this.root, "tmp", nameOf(sign)));
    sign[Symbol.dispose]();
  }

  get #lock(): AbsPath {
    return join(this.root, "lock");
  }

  async #tempDir(): Promise<AbsPath> {
    return this.makePart("tmp", nameOf(await this.#life()));
  }

  /** Makes the sign of this process on first use, and sweeps after dead ones. */
  async #life(): Promise<LifeSign> {
    if (this.#sign !== undefined) return this.#sign;
    const holds = this.makePart("holds");
    // Alone: a sign that is made but not yet locked looks dead.
    return await withLock(this.#lock, () => {
      sweep(this.root);
      this.#sign ??= new LifeSign(join(holds, tempName().slice(5)));
      return this.#sign;
    });
  }
}

/** Opens the store at `root`. See {@link Store}. */
export function openStore(root: AbsPath): Store {
  return new Store(root);
}

/** Removes temporary files of processes that are gone. Every first write to a store does it as well. */
export async function sweepStore(store: Store): Promise<void> {
  if (store.part("holds") === undefined) return;
  await store.alone(() => sweep(store.root));
}

/** Removes what dead processes left. While the store is locked: a living one looks dead for a moment at its start. */
export function sweep(root: AbsPath): void {
  const [holds, tmp] = [join(root, "holds"), join(root, "tmp")];
  for (const { name } of readDir(holds) ?? []) {
    const sign = join(holds, name);
    if (isAlive(sign)) continue;
    const paths = pathsIn(readText(sign, 1 << 26) ?? "");
    // What a program that outlived the process still writes to stays, with the sign, until the next time.
    const isGone = [...paths, join(tmp, name)].map(discard).every(Boolean);
    if (isGone) removeFile(sign);
  }
  for (const { name } of readDir(tmp) ?? []) {
    if (lstat(join(holds, name)) === undefined) discard(join(tmp, name));
  }
}

/** The paths that a process has noted: only such as {@link Store.tempPathIn} makes. */
function pathsIn(text: string): AbsPath[] {
  const lines = text.split("\n").filter((line) => /^".*"$/.test(line));
  return lines.map((line) => JSON.parse(line) as AbsPath).filter((path) =>
    isAbsolutePath(path) && TEMP_NAME.test(lastPart(path))
  );
}

function lastPart(path: string): string {
  return path.slice(
    Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1,
  );
}

function nameOf(sign: LifeSign): string {
  return lastPart(sign.path);
}

function planted(path: AbsPath): AppError {
  return new AppError(
    "STORE_CORRUPT",
    `Cannot use ${quote(path)}: it is not a directory`,
    { hint: "Look at what is there and remove it" },
  );
}
