/** Care for the store: which trees are needed, and by what. What cannot be read stops a collection; nothing is taken for unneeded. */
import { type Dirs, LOCK_FILE, slotAt, type SlotDirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, basename, join, parent } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { parseLock } from "../manifest/mod.ts";
import { lstat, readDir, readText, stat } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import {
  type Collected,
  collectGarbage,
  hashPlaced,
  openStore,
  parseTreeHash,
  placedHashes,
  type Store,
  storedHashes,
  type StoreSize,
  storeSize,
  type TreeHash,
  type Verified,
  verifyStore,
} from "../store/mod.ts";
import { readHistory, withHome } from "../tx/mod.ts";
import { MAX_LOCK_BYTES } from "./lock_file.ts";
import { slotProject } from "./list.ts";
import { isSharedPlace, placeName } from "./place_names.ts";
import { liveRuns } from "./runs.ts";
import { txHome } from "./slots.ts";

/** Where the store is. */
interface Place {
  readonly host: Host;
  readonly dirs: Dirs;
}

/** Measures the store. Throws `STORE_CORRUPT`, `IO`. */
export function measureStore({ dirs }: Place): StoreSize {
  using store = openStore(dirs.store);
  return storeSize(store);
}

/** Reads everything in the store. See `verifyStore`. */
export async function checkStore(
  { dirs }: Place,
  options: { readonly repair: boolean },
): Promise<Verified> {
  using store = openStore(dirs.store);
  return await verifyStore(store, options);
}

/**
 * Removes what no lock, no running agent and no change that could be taken back needs. Throws `LOCK_INVALID`, `TX_INVALID` and
 * `ENV_BROKEN` where that cannot be told, before anything is removed; `LOCK_TIMEOUT`, `IO`.
 */
export async function collectStore(
  place: Place,
  options: { readonly dryRun: boolean },
): Promise<Collected> {
  using store = openStore(place.dirs.store);
  const keep = () =>
    // A rollback that is under way is waited for: it moves locks about.
    withHome(txHome(place.host, place.dirs), () =>
      new Marks(place.dirs, store).all());
  return await collectGarbage(store, { keep, ...options });
}

const FORGET =
  "If nothing has to be taken back any more, forget it: aenv prune --keep 0";

/** Collects what is needed. */
class Marks {
  readonly #dirs: Dirs;
  readonly #store: Store;
  readonly #needed = new Set<TreeHash>();

  constructor(dirs: Dirs, store: Store) {
    this.#dirs = dirs;
    this.#store = store;
  }

  all(): ReadonlySet<TreeHash> {
    const { envs } = this.#dirs;
    for (const { name, kind } of readDir(envs) ?? []) {
      if (kind === "directory") this.#slot(slotAt(join(envs, name)));
    }
    for (const { slotName } of liveRuns(this.#dirs)) {
      this.#placed(slotAt(join(envs, slotName)));
    }
    this.#journal();
    return this.#needed;
  }

  /** An env's directory, wherever it is by now. */
  #slot(slot: SlotDirs): void {
    const own = join(slot.root, LOCK_FILE);
    this.#pinned(readLockText(own), own);
    const manifest = projectOf(slot);
    if (manifest === undefined) return;
    const lock = join(parent(manifest), LOCK_FILE);
    const text = isThere(manifest) ? readLockText(lock) : undefined;
    this.#pinned(text, lock);
    // A project that is gone, or on a disk that is not there, may come back.
    if (text === undefined) this.#placed(slot);
  }

  #pinned(text: string | undefined, path: AbsPath): void {
    if (text === undefined) return;
    const { plugins, skills } = parseLock(text, path);
    for (const { tree } of [...plugins, ...skills]) {
      this.#needed.add(parseTreeHash(tree));
    }
  }

  /** Locks that a rollback would bring back, and envs that it would. */
  #journal(): void {
    const { items, broken } = readHistory(this.#dirs);
    const [first] = broken;
    if (first !== undefined) {
      throw new AppError("TX_INVALID", first.why, {
        hint: `Look at it, and remove it by hand: ${
          join(this.#dirs.state, first.id)
        }`,
      });
    }
    const wasLock = new Set(
      items.flatMap(({ record }) =>
        record.entries.flatMap((entry, i) =>
          entry.op === "put" && basename(entry.path) === LOCK_FILE
            ? [`${record.id}/${i}`]
            : []
        )
      ),
    );
    for (const { name: id, kind } of readDir(this.#dirs.state) ?? []) {
      if (kind === "directory") this.#kept(join(this.#dirs.state, id), wasLock);
    }
  }

  /** What one transaction keeps: files as `3.before`, trees as `3.tree`; also what is being prepared. */
  #kept(dir: AbsPath, wasLock: ReadonlySet<string>): void {
    for (const { name, kind } of readDir(dir) ?? []) {
      const path = join(dir, name);
      const index = /^\d+(?=\.before$)/.exec(name)?.[0];
      if (kind === "directory") this.#slot(slotAt(path));
      else if (
        index !== undefined && wasLock.has(`${basename(dir)}/${index}`)
      ) {
        this.#formerLock(path);
      }
    }
  }

  #formerLock(path: AbsPath): void {
    try {
      this.#pinned(readLockText(path), path);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      throw new AppError(error.code, error.message, {
        hint: FORGET,
        cause: error,
      });
    }
  }

  /** Whatever stands in a slot. */
  #placed(slot: SlotDirs): void {
    const trees = placedTrees(slot);
    const found = placedHashes(this.#store, trees);
    for (const [i, path] of trees.entries()) {
      const hashes = found[i]!.length > 0 ? found[i]! : this.#guess(path);
      for (const hash of hashes) this.#needed.add(hash);
    }
  }

  /** Which tree stands at a path of which the store knows nothing: by name, else by contents. */
  #guess(path: AbsPath): TreeHash[] {
    const place = basename(join(path, ".."));
    const shared = isSharedPlace(join(path, ".."));
    const named = storedHashes(this.#store).filter((hash) =>
      placeName(basename(path), hash, { shared }) === place
    );
    const known = named.length > 0 ? undefined : hashPlaced(path);
    return known === undefined ? named : [known];
  }
}

/** The manifest of the project that a slot belongs to. Throws `ENV_BROKEN`. */
function projectOf(slot: SlotDirs): AbsPath | undefined {
  try {
    return slotProject(slot.root);
  } catch (error) {
    throw untold(slot.project, error);
  }
}

/** Whether it can be seen. */
function isThere(path: AbsPath): boolean {
  try {
    return stat(path) !== undefined;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return false;
  }
}

/** Undefined when there is none. Throws `ENV_BROKEN`. */
function readLockText(path: AbsPath): string | undefined {
  try {
    return readText(path, MAX_LOCK_BYTES);
  } catch (error) {
    throw untold(path, error);
  }
}

/** Directories in which trees of the store stand: plugins, and skills in their wrapper. */
function placedTrees(slot: SlotDirs): AbsPath[] {
  const inside = (dir: AbsPath) =>
    (readDir(dir) ?? []).filter(({ kind }) => kind === "directory")
      .map(({ name }) => join(dir, name));
  return inside(slot.installed).flatMap(inside).flatMap((path) => {
    const skills = join(path, "skills");
    const isWrapper = basename(path) === "skills" &&
      lstat(skills) !== undefined;
    return isWrapper ? [path, ...inside(skills)] : [path];
  });
}

/** The error for what names trees and cannot be read. */
function untold(path: AbsPath, error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  return new AppError(
    "ENV_BROKEN",
    `Cannot tell what ${quote(path)} needs of the store: ${error.message}`,
    { hint: "Mend it, or remove its environment: aenv list", cause: error },
  );
}
