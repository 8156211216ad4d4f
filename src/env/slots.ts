/** Making and moving slots below `envs/`: in one step each, under the home's lock. */
import { type Dirs, slotAt, type SlotDirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import type { EnvName } from "../base/ids.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import {
  chmod,
  ensureDir,
  lstat,
  makeDir,
  readDir,
  removeTree,
  rename,
  tempName,
} from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { withLock } from "../os/lock.ts";

/** Runs `work` with the home to itself; says so when it has to wait. Also clears away what a killed process left. */
export async function changeHome<T>(
  host: Host,
  dirs: Dirs,
  work: () => T | Promise<T>,
): Promise<T> {
  const onWait = () =>
    host.notice("aenv: another aenv process is busy, waiting for it");
  return await withLock(dirs.lock, () => {
    sweep(dirs);
    return work();
  }, { onWait });
}

/** Half-made slots and what a removal did not finish: with the lock held, nobody else is at them. */
function sweep(dirs: Dirs): void {
  for (const { name } of readDir(dirs.envs) ?? []) {
    if (name.startsWith(".tmp-")) discard(join(dirs.envs, name));
  }
  for (const { name } of readDir(dirs.trash) ?? []) {
    discard(join(dirs.trash, name));
  }
}

/** Removes a tree, also one with read-only directories. Returns whether it is gone; what stays is tried again later. */
export function discard(path: AbsPath): boolean {
  try {
    removeTree(path);
    return true;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
  }
  try {
    makeWritable(path);
    removeTree(path);
    return true;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
    return false;
  }
}

function makeWritable(path: AbsPath): void {
  if (lstat(path)?.kind !== "directory") return;
  chmod(path, 0o700);
  for (const { name, kind } of readDir(path) ?? []) {
    if (kind === "directory") makeWritable(join(path, name));
  }
}

/** Refuses a name that is taken, by an env, a project's slot or anything else. Throws `ENV_EXISTS`. */
export function requireFree(name: EnvName, dirs: Dirs): void {
  const slot = slotAt(join(dirs.envs, name));
  if (lstat(slot.root) === undefined) return;
  const state = lstat(slot.project) === undefined
    ? "it exists already"
    : "a project's slot has that name";
  throw new AppError(
    "ENV_EXISTS",
    `Cannot make environment ${quote(name)}: ${state}`,
    { hint: "Choose another name, or see what there is: aenv list" },
  );
}

/**
 * Makes the slot `name`: `build` fills a directory beside it, which then gets its name. When that fails nothing is left.
 * The caller holds the lock. Throws `ENV_EXISTS`, `IO`, and what `build` throws.
 */
export async function makeSlot<T>(
  name: EnvName,
  dirs: Dirs,
  build: (staging: SlotDirs) => T | Promise<T>,
): Promise<T> {
  requireFree(name, dirs);
  ensureDir(dirs.envs);
  const staging = join(dirs.envs, tempName());
  try {
    makeDir(staging);
    const result = await build(slotAt(staging));
    rename(staging, join(dirs.envs, name));
    return result;
  } catch (error) {
    discard(staging);
    throw error;
  }
}
