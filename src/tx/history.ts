/** What was changed, when, and what became of it. */
import type { Dirs } from "../base/dirs.ts";
import { isWithin, join } from "../base/paths.ts";
import { realPath } from "../os/fs.ts";
import { type Broken, readAll } from "./recover.ts";
import { pathsOf, type TxId, type TxRecord, type TxStatus } from "./types.ts";

/** A transaction and what became of it. */
export interface HistoryItem {
  readonly record: TxRecord;
  /** As of now: a committed one that another took back is rolled back. */
  readonly status: TxStatus;
  /** The one that took it back. */
  readonly undoneBy: TxId | null;
}

/** The journal as a whole. */
export interface History {
  /** Oldest first. */
  readonly items: readonly HistoryItem[];
  readonly broken: readonly Broken[];
}

/** Reads the journal; without the lock, so what is pending may be running. */
export function readHistory(dirs: Dirs): History {
  const { records, broken } = readAll(dirs);
  return { items: withStatus(records), broken };
}

/** Whether a transaction is about the env: it says so, or it touched the slot of that name. */
export function concerns(
  record: TxRecord,
  slotName: string,
  dirs: Dirs,
): boolean {
  if (record.env === slotName) return true;
  const slot = join(realPath(dirs.envs) ?? dirs.envs, slotName);
  return record.entries.flatMap(pathsOf).some((path) => isWithin(path, slot));
}

function withStatus(records: readonly TxRecord[]): HistoryItem[] {
  const undoneBy = new Map<TxId, TxId>();
  for (const { id, undoes, status } of records) {
    if (undoes !== null && status === "committed") undoneBy.set(undoes, id);
  }
  return records.map((record) => {
    const by = undoneBy.get(record.id) ?? null;
    const status = by === null ? record.status : "rolled-back";
    return { record, status, undoneBy: by };
  });
}
