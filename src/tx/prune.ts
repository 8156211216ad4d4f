/** Forgetting old transactions on request. */
import { lstat } from "../os/fs.ts";
import { moveOld, type Pruned, type PruneLimits } from "./prune_old.ts";
import { withHome } from "./run.ts";
import type { TxHome } from "./types.ts";

/** Removes transactions beyond the limits, and what lies in the trash. Throws `LOCK_TIMEOUT`, `IO`. */
export async function prune(
  home: TxHome,
  limits: PruneLimits,
): Promise<Pruned> {
  if (lstat(home.dirs.state) === undefined) {
    return { removed: [], kept: 0, broken: [] };
  }
  return await withHome(home, () => moveOld(home, limits));
}
