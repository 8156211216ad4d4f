/** What killed processes left: finished where it was as good as done, else undone. The caller holds the home's lock. */
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { listIds, readRecord } from "./record.ts";
import { isAlive, sweepScratch } from "./scratch.ts";
import { closeDone, closeUndone } from "./close.ts";
import {
  type Entry,
  pathsOf,
  type TxHome,
  type TxId,
  type TxRecord,
} from "./types.ts";
import { isDone } from "./undo.ts";

/** What became of it. */
export interface Recovered {
  readonly finished: readonly TxRecord[];
  readonly undone: readonly TxRecord[];
  /** Those that something stands in the way of. */
  readonly stuck: readonly {
    readonly record: TxRecord;
    readonly why: string;
  }[];
  /** Transactions that cannot be read: left as they are. */
  readonly broken: readonly Broken[];
}

/** A transaction without a usable record. */
export interface Broken {
  readonly id: TxId;
  readonly why: string;
}

/** All records, oldest first, and the ids of those that cannot be read. */
export function readAll(
  dirs: Dirs,
): { records: TxRecord[]; broken: Broken[] } {
  const records: TxRecord[] = [];
  const broken: Broken[] = [];
  for (const id of listIds(dirs)) {
    try {
      records.push(readRecord(dirs, id));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // Pruned since it was listed.
      if (error.code === "TX_NOT_FOUND") continue;
      broken.push({ id, why: error.message });
    }
  }
  return { records, broken };
}

/** Clears up behind dead processes. `force` puts aside what was changed since. Throws only what is a bug. */
export function recover(
  home: TxHome,
  { force }: { force: boolean },
): Recovered {
  const { dirs } = home;
  sweepScratch(dirs);
  const { records, broken } = readAll(dirs);
  const finished: TxRecord[] = [];
  const undone: TxRecord[] = [];
  const stuck: { record: TxRecord; why: string }[] = [];
  // The newest first, as a rollback goes.
  for (const record of records.toReversed()) {
    if (record.status !== "pending" || isAlive(record.owner)) continue;
    try {
      if (record.whole && isDone(record, dirs)) {
        closeDone(record, dirs);
        finished.push(record);
        continue;
      }
      home.requireIdle(record.entries.flatMap(pathsOf));
      closeUndone(record, { dirs, force, reason: "the process was killed" });
      if (record.entries.length > 0) undone.push(record);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      stuck.push({ record, why: error.message });
    }
  }
  return { finished, undone, stuck, broken };
}

/** Transactions whose trees a pending one has its hand on. */
export function referredTo(records: readonly TxRecord[]): Set<TxId> {
  const froms = (entry: Entry) =>
    entry.op === "place" && entry.from ? [entry.from.id] : [];
  return new Set(
    records.filter((record) => record.status === "pending")
      .flatMap((record) => record.entries.flatMap(froms)),
  );
}
