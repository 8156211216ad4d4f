/** `sync`: the disk as the lock says, and nothing else. Manifest and lock are only read. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, basename } from "../base/paths.ts";
import { compareLock, EMPTY_LOCK, type Lock } from "../manifest/mod.ts";
import { lstat } from "../os/fs.ts";
import { type Difference, openStore, type Store } from "../store/mod.ts";
import type { Transaction } from "../tx/mod.ts";
import { below, type DiskState, readDisk } from "./disk_state.ts";
import { type InstallPlace, obeyRow, withSupply } from "./install_fetch.ts";
import { lockPath, noLock, outdated, readLock } from "./lock_file.ts";
import { buildRoot } from "./place.ts";
import { placedItems } from "./place_names.ts";
import { requireIdle } from "./pointers.ts";
import { registerProject } from "./register.ts";
import { transact } from "./slots.ts";
import { supplyEach } from "./supply_each.ts";
import type { OpenEnv } from "./types.ts";

/** One plugin or skill after a sync. */
export interface SyncedItem {
  readonly kind: "plugin" | "skill";
  readonly name: string;
  /** What was done: nothing, placed, or put back. */
  readonly state: "right" | "placed" | "mended";
  /** Whether the store lacked it. */
  readonly fetched: boolean;
  /** What was wrong, by path. */
  readonly differences: readonly Difference[];
}

/** What a sync did. */
export interface SyncResult {
  readonly lock: AbsPath;
  readonly items: readonly SyncedItem[];
  /** What was wrong around them, by path in the slot. */
  readonly around: readonly Difference[];
  /** What was not in the lock, by path in the slot. */
  readonly removed: readonly string[];
}

/**
 * Makes the disk match the lock. What is taken away can be brought back by a rollback. Throws `LOCK_OUTDATED` where lock and
 * manifest disagree, `ENV_BUSY` when something would be taken from under an agent, `HASH_MISMATCH`, `SOURCE_*`, `IO`.
 */
export async function syncEnv(
  env: OpenEnv,
  place: InstallPlace,
): Promise<SyncResult> {
  const lock = agreedLock(env);
  using store = openStore(place.dirs.store);
  const fetched = await fetchAll(env, lock, { place, store });
  if (lock.plugins.length + lock.skills.length > 0) registerProject(env, place);
  const found = await makeRight(env, { lock, store, place });
  return {
    lock: lockPath(env),
    items: found.items.map(({ item: { kind, name }, state, differences }) => ({
      kind,
      name,
      state: DONE[state],
      fetched: fetched.has(`${kind} ${name}`),
      differences,
    })),
    around: found.around,
    removed: found.extra.map((path) => below(env, path)),
  };
}

const DONE = { right: "right", missing: "placed", changed: "mended" } as const;

function agreedLock(env: OpenEnv): Lock {
  const found = readLock(env);
  const differences = compareLock(env.manifest, found ?? EMPTY_LOCK);
  if (differences.length === 0) return found ?? EMPTY_LOCK;
  throw found === undefined ? noLock(env) : outdated(env, differences);
}

async function fetchAll(
  env: OpenEnv,
  lock: Lock,
  at: { readonly place: InstallPlace; readonly store: Store },
): Promise<Set<string>> {
  const rows = (["plugins", "skills"] as const).flatMap((kind) =>
    lock[kind].map((row) => ({ kind, row, name: row.name }))
  );
  return await withSupply(env, at, async (supply) => {
    const fetched = await supplyEach(
      supply,
      rows,
      ({ kind, row }, own) => obeyRow(own, kind, row),
    );
    const names = rows.map(({ kind, name }) => `${kind.slice(0, -1)} ${name}`);
    return new Set(names.filter((_, i) => fetched[i]));
  });
}

/** Launches beside this put in place what is missing: so often it is looked again. */
const MAX_TRIES = 5;

/** Looks at the disk and puts right what is not; returns what was found. */
async function makeRight(
  env: OpenEnv,
  at: Omit<Repair, "found">,
): Promise<DiskState> {
  for (let tries = 1;; tries++) {
    const found = await readDisk(env, at.lock, at.store);
    const { badRoots, extra } = found;
    if (badRoots.length + extra.length === 0) return found;
    const lacking = [env.slot.installed, ...badRoots].filter((path) =>
      lstat(path) === undefined
    );
    try {
      await repair(env, { ...at, found });
      return found;
    } catch (error) {
      const isOvertaken = error instanceof AppError && tries < MAX_TRIES &&
        lacking.some((path) => lstat(path) !== undefined);
      if (!isOvertaken) throw error;
    }
  }
}

interface Repair {
  readonly lock: Lock;
  readonly found: DiskState;
  readonly store: Store;
  readonly place: InstallPlace;
}

async function repair(
  env: OpenEnv,
  { lock, found, store, place }: Repair,
): Promise<void> {
  const { slot, slotName } = env;
  const { badRoots, extra } = found;
  const placed = placedItems(lock, env);
  const prepare = async (scratch: AbsPath) => {
    for (const root of badRoots) {
      const items = placed.filter((item) => item.root === root);
      await buildRoot(store, items, `${scratch}/${basename(root)}` as AbsPath);
    }
  };
  const about = { kind: "sync", env: slotName, prepare };
  const work = (tx: Transaction) => {
    const taken = [...badRoots, ...extra].filter((path) =>
      lstat(path) !== undefined
    );
    const beIdle = () => {
      if (taken.length > 0) requireIdle(slotName, "sync", place.dirs);
    };
    beIdle();
    if (lstat(slot.installed) === undefined) tx.makeDir(slot.installed);
    for (const path of taken) tx.take(path);
    for (const root of badRoots) tx.place(basename(root), root);
    // A launch writes its record before it looks what there is: one of the two sees the other.
    beIdle();
  };
  await transact(about, place, work);
}
