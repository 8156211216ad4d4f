/** Which transactions are forgotten. The caller holds the home's lock. */
import { join } from "../base/paths.ts";
import { epochMs } from "../os/clock.ts";
import { ensureDir, lstat, rename, syncDir, tempName } from "../os/fs.ts";
import { timeOf } from "./id.ts";
import { listIds, txDir } from "./record.ts";
import { type Broken, readAll, referredTo } from "./recover.ts";
import type { TxHome, TxId } from "./types.ts";

/** What to keep: at most so many, and none that is older. */
export interface PruneLimits {
  readonly keep: number;
  readonly days: number;
}

/** What was done. */
export interface Pruned {
  readonly removed: readonly TxId[];
  readonly kept: number;
  /** Those that cannot be read: one of them may be half done, so they stay. */
  readonly broken: readonly Broken[];
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Moves to the trash what is beyond a limit: never a pending one, nor what a pending one needs. */
export function moveOld(
  { dirs }: TxHome,
  { keep, days }: PruneLimits,
): Pruned {
  const ids = listIds(dirs);
  // Infinity and numbers beyond what a date can hold compare as they should: nothing is older.
  const oldest = epochMs() - days * DAY_MS;
  const old = new Set(
    ids.filter((id, i) => i < ids.length - keep || timeOf(id) < oldest),
  );
  if (old.size === 0) return { removed: [], kept: ids.length, broken: [] };
  const { records, broken } = readAll(dirs);
  const needed = referredTo(records);
  const removed = records
    .filter((record) => record.status !== "pending")
    .map((record) => record.id)
    .filter((id) => old.has(id) && !needed.has(id));
  if (removed.length > 0) ensureDir(dirs.trash);
  for (const id of removed) {
    const dir = txDir(dirs, id);
    if (lstat(dir)) rename(dir, join(dirs.trash, id + tempName()));
  }
  if (removed.length > 0) syncDir(dirs.state);
  return { removed, kept: ids.length - removed.length, broken };
}
