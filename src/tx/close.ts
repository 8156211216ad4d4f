/** The end of a transaction: committed, or taken back. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { epochMs } from "../os/clock.ts";
import { discard } from "../os/discard.ts";
import { readDir } from "../os/fs.ts";
import { RECORD_FILE, txDir, writeRecord } from "./record.ts";
import type { TxHome, TxRecord } from "./types.ts";
import { undoAll, type UndoPlace } from "./undo.ts";

/** Undoes a transaction and closes it. Throws what stands in the way. */
export function closeUndone(
  record: TxRecord,
  { reason, ...place }: UndoPlace & { readonly reason: string },
): void {
  const { dirs } = place;
  const dir = txDir(dirs, record.id);
  const undone = undoAll(record, place);
  const done = finish(undone, "rolled-back", reason);
  tidy(dir, done);
  if (done.entries.length === 0) {
    discard(dir);
    return;
  }
  try {
    writeRecord(dir, done);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
    // No room even for that: everything is as it was, so nothing needs to be known about it.
    if (!discard(dir)) throw error;
  }
}

/** Calls a killed transaction committed that had done all it had to do. */
export function closeDone(record: TxRecord, dirs: TxHome["dirs"]): void {
  const dir = txDir(dirs, record.id);
  const done = finish(record, "committed", record.note ?? undefined);
  tidy(dir, done);
  writeRecord(dir, done);
}

/** The record of a transaction that has ended so. */
export function finish(
  record: TxRecord,
  status: TxRecord["status"],
  note: string | undefined,
): TxRecord {
  const finished = new Date(epochMs()).toISOString();
  return { ...record, status, finished, note: note ?? null };
}

/** Removes what a transaction that has ended has no use for. */
export function tidy(dir: AbsPath, record: TxRecord): void {
  const keep = new Set<string>([RECORD_FILE]);
  if (record.status === "committed") {
    record.entries.forEach((_entry, i) => {
      keep.add(`${i}.before`);
      keep.add(`${i}.tree`);
    });
  }
  for (const { name } of readDir(dir) ?? []) {
    if (!keep.has(name) && !name.includes(".kept")) discard(join(dir, name));
  }
}
