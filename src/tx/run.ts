/** Running a transaction: all of it, or nothing. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { discard } from "../os/discard.ts";
import { lstat, readDir } from "../os/fs.ts";
import { withLock } from "../os/lock.ts";
import { moveOld, type PruneLimits } from "./prune_old.ts";
import { recover, type Recovered } from "./recover.ts";
import { makeScratch } from "./scratch.ts";
import { Transaction, type TxHead } from "./transaction.ts";
import type { TxHome, TxRecord } from "./types.ts";

/** What a transaction is about, and what it makes before it has the home to itself. */
export interface TxInput<P> extends TxHead {
  /**
   * Runs without the lock, and may take its time: makes trees in a directory of its own, which `tx.place` puts in place by
   * their names in it.
   */
  readonly prepare?: (scratch: AbsPath) => P | Promise<P>;
}

/** How many transactions are kept without being asked: 50, and 30 days. */
export const DEFAULT_LIMITS: PruneLimits = { keep: 50, days: 30 };

/**
 * Runs `work` with the home to itself. When it throws, or the process is killed, everything is as it was. What killed ones
 * left is cleared up first, and said. Throws `LOCK_TIMEOUT`, and what `prepare` and `work` throw.
 */
export async function runTransaction<T, P = undefined>(
  home: TxHome,
  input: TxInput<P>,
  work: (tx: Transaction, prepared: P) => T | Promise<T>,
): Promise<T> {
  const { dirs, host } = home;
  const { prepare, ...head } = input;
  const scratch = prepare && makeScratch(dirs, host);
  try {
    const prepared = scratch && await prepare?.(scratch);
    return await withHome(home, async () => {
      const { stuck, ...rest } = recover(home, { force: false });
      tell(home, { stuck, ...rest });
      const blocked = stuck.map(({ record }) => record);
      const tx = new Transaction(home, head, { scratch, blocked });
      const result = await settle(tx, () => work(tx, prepared as P));
      if (tx.id !== undefined) moveOld(home, DEFAULT_LIMITS);
      return result;
    });
  } finally {
    if (scratch && lstat(scratch) !== undefined) discard(scratch);
  }
}

/** Runs `work` with the home's lock, and empties the trash when it is free again. */
export async function withHome<T>(
  { dirs, host }: TxHome,
  work: () => T | Promise<T>,
): Promise<T> {
  const onWait = () =>
    host.notice("aenv: another aenv process is busy, waiting for it");
  try {
    return await withLock(dirs.lock, work, { onWait });
  } finally {
    for (const { name } of readDir(dirs.trash) ?? []) {
      discard(join(dirs.trash, name));
    }
  }
}

async function settle<T>(
  tx: Transaction,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    const result = await work();
    tx.commit();
    return result;
  } catch (error) {
    const reason = error instanceof AppError ? error.message : "it failed";
    abort(tx, error, reason);
    throw error;
  }
}

/** Takes the work back; when even that fails, the error says so. */
function abort(tx: Transaction, cause: unknown, reason: string): void {
  try {
    tx.abort(reason);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(
      error.code,
      `Cannot do or take back the change: ${reason}; ${error.message}`,
      {
        hint:
          "Something is half changed; take it back: aenv rollback --pending",
        cause,
      },
    );
  }
}

/** Says what was cleared up, and what could not be. */
function tell(
  { host }: TxHome,
  { finished, undone, stuck }: Omit<Recovered, "broken">,
): void {
  for (const record of finished) {
    host.notice(`aenv: finished ${words(record)}`);
  }
  for (const record of undone) host.notice(`aenv: took back ${words(record)}`);
  for (const { record, why } of stuck) {
    host.notice(`aenv: could not take back ${words(record)}`);
    host.notice(`  ${why}; see: aenv rollback --pending`);
  }
}

function words({ kind, env, id }: TxRecord): string {
  const what = env === null ? `aenv ${kind}` : `aenv ${kind} of ${env}`;
  return `what a killed "${what}" had begun (${id})`;
}
