/** The home's own transactions: a killed one is not undone under an agent's feet. */
import { type Dirs, LOCK_FILE, MANIFEST_FILE, slotAt } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import type { EnvName } from "../base/ids.ts";
import { type AbsPath, isWithin, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { lstat, realPath } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import {
  runTransaction,
  type Transaction,
  type TxHome,
  type TxInput,
} from "../tx/mod.ts";
import { requireIdle } from "./pointers.ts";

/** Name of the tree that {@link transact}'s `prepare` makes for a new slot. */
export const STAGING = "slot";

/** Runs `work` as a transaction, with the home to itself; says so when it has to wait. */
export async function transact<T, P = undefined>(
  input: TxInput<P>,
  { host, dirs }: { host: Host; dirs: Dirs },
  work: (tx: Transaction, prepared: P) => T | Promise<T>,
): Promise<T> {
  return await runTransaction(txHome(host, dirs), input, work);
}

/** The home as transactions know it. */
export function txHome(host: Host, dirs: Dirs): TxHome {
  return {
    host,
    dirs,
    requireIdle(paths) {
      for (const slotName of new Set(paths.flatMap((p) => slotOf(p, dirs)))) {
        requireIdle(slotName, "take back a change of", dirs);
      }
    },
  };
}

/** The slot that a change of `path` takes something away from; none for the manifest and the lock, which are read at a launch only. */
function slotOf(path: AbsPath, dirs: Dirs): string[] {
  const envs = realPath(dirs.envs) ?? dirs.envs;
  if (!isWithin(path, envs) || path === envs) return [];
  const [name = "", ...rest] = path.slice(envs.length + 1).split(/[/\\]/);
  const isDeclaration = rest.length === 1 &&
    [MANIFEST_FILE, LOCK_FILE].includes(rest[0]!);
  return isDeclaration ? [] : [name];
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
