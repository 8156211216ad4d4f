/** Taking back a committed transaction: a transaction itself, which can be taken back too. */
import { AppError } from "../base/errors.ts";
import type { AbsPath } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { lstat } from "../os/fs.ts";
import { concerns, type HistoryItem, readHistory } from "./history.ts";
import { invalid, readRecord, treeDir, txDir } from "./record.ts";
import { recover, type Recovered } from "./recover.ts";
import { runTransaction, withHome } from "./run.ts";
import { treeMark } from "./things.ts";
import type { Put } from "./put.ts";
import type { Transaction } from "./transaction.ts";
import {
  type Entry,
  overlap,
  pathsOf,
  type TxHome,
  type TxId,
  type TxRecord,
} from "./types.ts";
import { bytesBefore, changed, mustPutBack, requireSettled } from "./undo.ts";

/** Which one, and how. */
export interface RollbackInput {
  /** The newest that is in force unless given. */
  readonly id: TxId | undefined;
  /** Only those that are about this slot. */
  readonly slotName: string | undefined;
  /** Whether what was changed since is put into the journal instead of being a reason to stop. */
  readonly force: boolean;
  /** Asked with the lock held, before anything changes; throws to refuse. */
  readonly check?: (target: TxRecord) => void;
}

/** What was done. */
export interface RollbackResult {
  /** The rollback's own id. */
  readonly id: TxId;
  readonly undid: TxRecord;
}

/** Takes back. Throws `TX_NOT_FOUND`, `TX_CONFLICT`, `TX_INVALID`, `ENV_BUSY`, `IO`. */
export async function rollback(
  home: TxHome,
  input: RollbackInput,
): Promise<RollbackResult> {
  // Asking makes no home.
  if (lstat(home.dirs.state) === undefined) throw nothing(input);
  return await runTransaction(home, { kind: "rollback", env: null }, (tx) => {
    const target = choose(home, input);
    const paths = target.entries.flatMap(pathsOf);
    home.requireIdle(paths);
    input.check?.(target);
    tx.describe({
      env: target.env,
      undoes: target.id,
      redoes: isUndo(target),
      note: `of ${target.kind} ${target.id}`,
    });
    tx.keep();
    const step = { tx, home, target, force: input.force };
    for (let i = target.entries.length - 1; i >= 0; i--) {
      takeBack(target.entries[i]!, i, step);
    }
    // A launch writes its record before it looks whether the env is there: one of the two sees the other.
    home.requireIdle(paths);
    return { id: tx.id!, undid: target };
  });
}

/** Clears up what killed processes left. */
export async function rollbackPending(
  home: TxHome,
  options: { force: boolean },
): Promise<Recovered> {
  if (lstat(home.dirs.state) === undefined) {
    return { finished: [], undone: [], stuck: [], broken: [] };
  }
  return await withHome(home, () => recover(home, options));
}

/** The transaction meant, after it was found that it can be taken back. */
function choose(home: TxHome, input: RollbackInput): TxRecord {
  const { items, broken } = readHistory(home.dirs);
  const { id, slotName } = input;
  const about = (item: HistoryItem) =>
    slotName === undefined || concerns(item.record, slotName, home.dirs);
  const target = id === undefined
    ? items.findLast((item) =>
      item.status === "committed" && !isUndo(item.record) && about(item)
    )
    : items.find((item) => item.record.id === id && about(item));
  if (target === undefined) {
    // Says what is wrong with it, if it is there.
    if (id !== undefined && broken.some((one) => one.id === id)) {
      readRecord(home.dirs, id);
    }
    throw nothing(input);
  }
  requireInForce(target);
  requireLast(target, items);
  return target.record;
}

function nothing({ id, slotName }: RollbackInput): AppError {
  const what = id ?? slotName ?? "the last change";
  const state = id === undefined && slotName !== undefined
    ? "no change of it can be taken back"
    : "there is none";
  return new AppError(
    "TX_NOT_FOUND",
    `Cannot roll back ${quote(what)}: ${state}`,
    { hint: "See what there is: aenv history" },
  );
}

function requireInForce({ record, status, undoneBy }: HistoryItem): void {
  if (status === "committed") return;
  const state = undoneBy !== null
    ? `it was rolled back by ${undoneBy}`
    : status === "pending"
    ? "it has not ended"
    : "it failed, and was taken back then";
  const hint = undoneBy !== null
    ? `Take that one back: aenv rollback ${undoneBy}`
    : status === "pending"
    ? "If its process was killed: aenv rollback --pending"
    : "See what there is: aenv history";
  throw new AppError(
    "TX_NOT_FOUND",
    `Cannot roll back ${quote(record.id)}: ${state}`,
    { hint },
  );
}

/**
 * Refuses while a later one that is in force touched the same paths. What was taken back does not count, nor what took it
 * back, and so on along the chain: they cancel each other out.
 */
function requireLast(
  target: HistoryItem,
  items: readonly HistoryItem[],
): void {
  const { id, entries } = target.record;
  const paths = entries.flatMap(pathsOf);
  const byId = new Map(items.map((item) => [item.record.id, item]));
  const chain = (item: HistoryItem): HistoryItem[] => {
    const next = item.undoneBy && byId.get(item.undoneBy);
    return next ? [item, ...chain(next)] : [item];
  };
  const later = items.findLast((item) => {
    const { record } = item;
    const isCancelled = chain(item).length % 2 === 0 ||
      (record.undoes !== null && record.undoes > id);
    return record.id > id && record.status === "committed" && !isCancelled &&
      record.entries.flatMap(pathsOf).some((a) =>
        paths.some((b) => overlap(a, b))
      );
  });
  if (later === undefined) return;
  const { kind, id: last } = chain(later).at(-1)!.record;
  throw new AppError(
    "TX_CONFLICT",
    `Cannot roll back ${quote(id)}: ${kind} ${last} changed the same later`,
    { hint: `Roll that back first: aenv rollback ${last}` },
  );
}

/** Whether it takes a change back. One that takes such a one back makes a change again. */
function isUndo({ undoes, redoes }: TxRecord): boolean {
  return undoes !== null && !redoes;
}

interface Step {
  readonly tx: Transaction;
  readonly home: TxHome;
  readonly target: TxRecord;
  readonly force: boolean;
}

function takeBack(entry: Entry, index: number, step: Step): void {
  const { tx } = step;
  switch (entry.op) {
    case "put":
      return putBack(entry, index, step);
    case "place":
      return takePlaced(entry.path, entry.mark, step);
    case "take":
      return bringBack(entry.path, index, step);
    case "move":
      requireSettled(entry.path);
      requireSettled(entry.to);
      return tx.move(entry.to, entry.path);
    case "mkdir":
      return tx.removeDir(entry.path);
    case "rmdir":
      if (lstat(entry.path) === undefined) tx.makeDir(entry.path);
  }
}

function putBack(
  entry: Extract<Entry, { op: "put" }>,
  index: number,
  step: Step,
): void {
  if (!withHint(step, () => mustPutBack(entry, step))) return;
  const { path, before } = entry;
  const at = { dirs: step.home.dirs, id: step.target.id };
  const data = bytesBefore(before, index, at);
  const put: Put = before.kind === "symlink"
    ? { path, link: before.target }
    : before.kind === "file"
    ? { path, data: data!, mode: before.mode }
    : { path, remove: true };
  step.tx.put(put);
}

function takePlaced(path: AbsPath, mark: string, step: Step): void {
  requireSettled(path);
  // Somebody took it away by hand.
  if (lstat(path) === undefined) return;
  withHint(step, () => {
    if (!step.force && treeMark(path) !== mark) {
      throw changed(path, "it has changed since");
    }
  });
  step.tx.take(path);
}

function bringBack(path: AbsPath, index: number, step: Step): void {
  const { tx, home: { dirs }, target, force } = step;
  requireSettled(path);
  if (lstat(treeDir(txDir(dirs, target.id), index)) === undefined) {
    throw invalid(target.id, `its copy ${index} is missing`);
  }
  if (lstat(path) !== undefined) {
    withHint(step, () => {
      if (!force) throw changed(path, "something else is there now");
    });
    tx.take(path);
  }
  tx.place({ id: target.id, index }, path);
}

/** Adds what to type to a conflict. */
function withHint<T>({ target }: Step, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, error.message, {
      hint:
        `Look at it; or roll back all the same, which can be undone: aenv rollback ${target.id} --force`,
      cause: error,
    });
  }
}
