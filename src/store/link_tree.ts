/** Placing a tree of the store in an environment. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import {
  chmod,
  ensureDir,
  lstat,
  makeDir,
  removeTree,
  rename,
  symlink,
} from "../os/fs.ts";
import { refusal } from "../os/c_files.ts";
import { tryClone } from "../os/links.ts";
import { OpenDirectory, pathList } from "../os/marks.ts";
import { checkTree } from "./check_tree.ts";
import {
  type Difference,
  type FileEntry,
  modeOf,
  MODES,
  type Placement,
} from "./entries.ts";
import { closeDirectories, markAll } from "./finish.ts";
import { copyObjectFile } from "./object_files.ts";
import { fileNumbers, sealPath, type StoredObject } from "./objects.ts";
import { openObject, proveTree } from "./open_object.ts";
import type { Pool } from "./pool.ts";
import { preparePool, renewPool, writeSpan } from "./pool_care.ts";
import { lockObject, writePlaced } from "./recheck.ts";
import type { Store } from "./store.ts";
import { discardTree } from "./unlink_tree.ts";

/** How the files of a tree came to their place: `clone` and `copy` are its own, `link` are shared with other environments. */
export type LinkMethod = "clone" | "link" | "copy";

/** How a tree may be placed. */
export interface LinkOptions {
  /**
   * Whether files may be shared with other environments where the file system cannot clone. Their permission bits keep
   * everybody from writing to them but root and whoever changes the bits on purpose: such a write shows in the other
   * environments until their next check.
   */
  readonly share: boolean;
  /** Where the tree is moved to afterwards, with the directory that holds it; the target unless given. */
  readonly standsAt?: AbsPath;
}

/**
 * Places a tree at `target`, where nothing may be; it appears there whole and read-only. What is damaged in the store is
 * never placed. Throws `STORE_MISSING`, `STORE_CORRUPT`, `IO`.
 */
export async function linkTree(
  store: Store,
  placement: Placement,
  options: LinkOptions,
): Promise<LinkMethod> {
  const { target } = placement;
  if (lstat(target) !== undefined) {
    throw new AppError(
      "IO",
      `Cannot place a tree at ${quote(target)}: something is there`,
    );
  }
  const { method } = await placeTree(store, placement, {
    ...options,
    moveIn: (temp) => rename(temp, target),
  });
  return method;
}

/**
 * Puts a tree back into the state that it should have, and returns what was wrong; what was added is removed. Nothing is
 * touched when nothing is wrong, or when the store cannot mend it. Throws `STORE_MISSING`, `STORE_CORRUPT`, `IO`.
 */
export async function repairTree(
  store: Store,
  placement: Placement,
  options: LinkOptions,
): Promise<Difference[]> {
  const differences = await checkTree(store, placement);
  if (differences.length === 0) return [];
  const { target } = placement;
  ensureDir(join(target, ".."));
  const old = await store.tempPathIn(join(target, ".."));
  const { object } = await placeTree(store, placement, {
    ...options,
    moveIn: (temp) => replace(temp, target, old),
  });
  await discardTree(store, object, old);
  return differences;
}

/** Moves `temp` to `target` and what is there to `old`. */
function replace(temp: AbsPath, target: AbsPath, old: AbsPath): void {
  if (lstat(target) !== undefined) rename(target, old);
  try {
    rename(temp, target);
  } catch (error) {
    if (lstat(old) !== undefined) rename(old, target);
    throw error;
  }
}

interface PlaceOptions extends LinkOptions {
  /** Moves the finished tree to its place. */
  readonly moveIn: (temp: AbsPath) => void;
}

async function placeTree(
  store: Store,
  { hash, target }: Placement,
  { moveIn, share, standsAt }: PlaceOptions,
): Promise<{ method: LinkMethod; object: StoredObject }> {
  // From here on no collection removes it.
  const object = await store.claim(hash, () => openObject(store, hash));
  ensureDir(join(target, ".."));
  const temp = await store.tempPathIn(join(target, ".."));
  try {
    const method = await fill(store, object, { share, temp });
    closeDirectories(temp, object.entries, { keepRoot: true });
    moveIn(temp);
    // Only now: moving a directory needs the right to write to it.
    chmod(target, MODES.directory);
    await store.settle(await store.now());
    const marks = markAll(
      target,
      object.entries,
      ({ kind }) => kind !== "file" || method !== "link",
    );
    await writePlaced(store, { object, target }, { marks, standsAt });
    return { method, object };
  } finally {
    removeTree(temp);
  }
}

interface Fill extends LinkOptions {
  readonly temp: AbsPath;
}

async function fill(
  store: Store,
  object: StoredObject,
  { temp, share }: Fill,
): Promise<LinkMethod> {
  if (canClone(object, temp)) {
    await proveTree(store, object);
    build(object, temp, (entry, to) => {
      const from = join(object.tree, entry.path);
      const code = tryClone(from, to, modeOf(entry));
      if (code !== undefined) throw refusal("write", to, code);
    });
    return "clone";
  }
  if (share && await fillWithLinks(store, object, temp)) return "link";
  build(object, temp, (entry, to) => {
    copyObjectFile(store, object, { entry, to });
  });
  return "copy";
}

/** Tried on a small file each time: a tree may be placed on any file system. */
function canClone(object: StoredObject, temp: AbsPath): boolean {
  const code = tryClone(sealPath(object.dir), temp, 0o600);
  removeTree(temp);
  return code === undefined;
}

/** Makes a tree's directories and links at `temp`, then has each file placed. */
function build(
  { entries }: StoredObject,
  temp: AbsPath,
  placeFile: (entry: FileEntry, to: AbsPath) => void,
): void {
  makeDir(temp);
  for (const entry of entries) {
    const to = `${temp}/${entry.path}` as AbsPath;
    if (entry.kind === "directory") makeDir(to);
    else if (entry.kind === "symlink") symlink(to, entry.target);
    else placeFile(entry, to);
  }
}

/** False when the file system does not link. */
async function fillWithLinks(
  store: Store,
  object: StoredObject,
  temp: AbsPath,
): Promise<boolean> {
  return await lockObject(store, object, async () => {
    let pool = await preparePool(store, object);
    let code = await linkAll(store, object, { pool, temp });
    if (code === "EMLINK") {
      // As many names as a file can have: the next environments get another one.
      removeTree(temp);
      pool = await renewPool(store, object);
      code = await linkAll(store, object, { pool, temp });
    }
    if (code !== undefined) removeTree(temp);
    return code === undefined;
  });
}

/** Links all files and remembers when: whatever changed since the pool was proved did so by these links, or was written. */
async function linkAll(
  store: Store,
  object: StoredObject,
  { pool, temp }: { readonly pool: Pool; readonly temp: AbsPath },
): Promise<string | undefined> {
  const from = await store.now();
  const paths: string[] = [];
  build(object, temp, ({ path }) => paths.push(path));
  using files = new OpenDirectory(pool.dir);
  using tree = new OpenDirectory(temp);
  const names = pathList(fileNumbers(object));
  const code = files.linkEach(names, tree, pathList(paths));
  await writeSpan(store, object, from);
  return code;
}
