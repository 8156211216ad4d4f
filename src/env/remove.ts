/** `remove`: takes an env away, whole or not at all. */
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type EnvName, parseEnvName } from "../base/ids.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { ensureDir, lstat, rename, tempName } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { hostDirs } from "./active.ts";
import { setDefaultEnv } from "./config_edit.ts";
import { slotProject } from "./list.ts";
import { notFound } from "./open.ts";
import { findPointers, type Pointer, requireIdle } from "./pointers.ts";
import { changeHome, discard } from "./slots.ts";

/** What was removed. */
export interface RemoveResult {
  readonly name: EnvName;
  readonly path: AbsPath;
  /** The manifest of the project whose slot it was; it stays. */
  readonly project: AbsPath | undefined;
  readonly clearedDefault: boolean;
  /** What names the env still. */
  readonly dangling: readonly Pointer[];
  /** Where the rest is, when not everything could be deleted. */
  readonly rest: AbsPath | undefined;
}

/** Removes a global env, or a project's slot by the slot's name. Throws `ENV_RESERVED`, `ENV_NOT_FOUND`, `ENV_BUSY`, `ENV_IN_USE`, `IO`. */
export async function removeEnv(
  input: { readonly name: string; readonly force: boolean },
  host: Host,
): Promise<RemoveResult> {
  const name = parseEnvName(input.name);
  const dirs = hostDirs(host);
  const path = join(dirs.envs, name);
  if (lstat(path) === undefined) throw notFound(name);
  return await changeHome(host, dirs, async () => {
    if (lstat(path) === undefined) throw notFound(name);
    requireIdle(name, "remove", dirs);
    const pointers = findPointers(name, host, dirs);
    if (pointers.length > 0 && !input.force) throw inUse(name, pointers);
    const project = slotProject(path);
    const clears = pointers.some((pointer) => pointer.kind === "default_env");
    const trashed = await takeAway(name, dirs, async () => {
      if (clears) await setDefaultEnv(dirs, undefined);
    });
    return {
      name,
      path,
      project,
      clearedDefault: clears,
      dangling: pointers.filter((pointer) => pointer.kind !== "default_env"),
      rest: discard(trashed) ? undefined : trashed,
    };
  });
}

/** Moves the slot to the trash and does `rest`; when that fails, or an agent was started meanwhile, moves it back. */
async function takeAway(
  name: EnvName,
  dirs: Dirs,
  rest: () => Promise<void>,
): Promise<AbsPath> {
  const path = join(dirs.envs, name);
  const trashed = join(dirs.trash, name + tempName());
  ensureDir(dirs.trash);
  rename(path, trashed);
  try {
    // A launch writes its record before it looks whether the env is there: one of the two sees the other.
    requireIdle(name, "remove", dirs);
    await rest();
  } catch (error) {
    rename(trashed, path);
    throw error;
  }
  return trashed;
}

function inUse(name: EnvName, pointers: readonly Pointer[]): AppError {
  const list = pointers.map((pointer) =>
    pointer.kind === "default_env"
      ? `default_env in ${quote(pointer.where)}`
      : pointer.where.startsWith("$")
      ? `${pointer.where} in this shell`
      : quote(pointer.where)
  ).join(", ");
  return new AppError(
    "ENV_IN_USE",
    `Cannot remove environment ${quote(name)}: it is named by ${list}`,
    { hint: `Remove it all the same: aenv remove ${name} --force` },
  );
}
