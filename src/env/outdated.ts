/** `outdated`: what an update could move, and what there is beyond it. */
import { AppError } from "../base/errors.ts";
import {
  EMPTY_LOCK,
  type Entry,
  type EntryKind,
  type Lock,
  type LockedItem,
} from "../manifest/mod.ts";
import { makeDir, removeTree, tempName } from "../os/fs.ts";
import { join } from "../base/paths.ts";
import {
  fetchSource,
  formatPin,
  isPathPin,
  newestSpec,
  parsePin,
  parseSource,
  type Resolution,
  resolveSource,
  shortPin,
  type SourceSpec,
} from "../sources/mod.ts";
import { hashTree, openStore } from "../store/mod.ts";
import {
  type InstallPlace,
  type Supply,
  supplyFor,
  withSupply,
} from "./install_fetch.ts";
import { lockedItem, readLock } from "./lock_file.ts";
import type { OpenEnv } from "./types.ts";

/** One plugin or skill: what is pinned, what the manifest would allow now, and what there is. */
export interface OutdatedRow {
  readonly kind: "plugin" | "skill";
  readonly name: string;
  readonly source: string;
  /**
   * `outdated`: an update would move it; `newer`: only another source in the manifest would; `unlocked`: the lock has nothing
   * for it; `failed`: it could not be asked.
   */
  readonly state: "current" | "outdated" | "newer" | "unlocked" | "failed";
  /** In short: a version, or the first digits of a commit or of the hash of the files. Null where it is not known. */
  readonly current: string | null;
  readonly wanted: string | null;
  readonly newest: string | null;
  /** Why it could not be asked. */
  readonly problem: {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
  } | null;
}

/** So many sources are asked at once. */
const AT_ONCE = 4;

/** Asks every source. Writes nothing. Throws `LOCK_INVALID`, `IO`, `INTERRUPTED`; what a source answers badly is in its row. */
export async function findOutdated(
  env: OpenEnv,
  place: InstallPlace,
): Promise<OutdatedRow[]> {
  const lock = readLock(env) ?? EMPTY_LOCK;
  const { manifest } = env;
  const entries = (["plugins", "skills"] as const).flatMap((kind) =>
    manifest[kind].map((entry) => ({ kind, entry }))
  );
  using store = openStore(place.dirs.store);
  return await withSupply(env, { place, store }, async (supply) => {
    const rows: OutdatedRow[] = [];
    const count = entries.length;
    const queue = entries.entries();
    const work = async () => {
      for (const [index, { kind, entry }] of queue) {
        const own = supplyFor(supply, entry.name, { index, count });
        rows[index] = await rowOf({ kind, entry, lock }, own);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return rows;
  });
}

interface Asked {
  readonly kind: EntryKind;
  readonly entry: Entry;
  readonly lock: Lock;
}

async function rowOf(
  { kind, entry, lock }: Asked,
  supply: Supply,
): Promise<OutdatedRow> {
  const { name, source } = entry;
  const found = lockedItem(lock, kind, name);
  const isSame = found?.source === source && found.subpath === entry.subpath;
  const row = isSame ? found : undefined;
  const head = { kind: KINDS[kind], name, source };
  const current = row === undefined ? null : currentOf(row);
  try {
    const spec = parseSource(source);
    const wanted = await ask(spec, { kind, entry }, supply);
    const newest = await askNewest(spec, wanted, { kind, entry, supply });
    const isPinned = row !== undefined && wanted.pin === row.pin &&
      (wanted.tree ?? row.tree) === row.tree;
    const state = row === undefined
      ? "unlocked"
      : !isPinned
      ? "outdated"
      : newest.pin !== wanted.pin
      ? "newer"
      : "current";
    const shown = { wanted: wanted.short, newest: newest.short };
    return { ...head, state, current, ...shown, problem: null };
  } catch (error) {
    supply.context.signal?.throwIfAborted();
    if (!(error instanceof AppError)) throw error;
    const { code, message, hint = null } = error;
    const none = { wanted: null, newest: null };
    const problem = { code, message, hint };
    return { ...head, state: "failed", current, ...none, problem };
  }
}

const KINDS = { plugins: "plugin", skills: "skill" } as const;

function currentOf({ pin, tree }: LockedItem): string {
  const parsed = parsePin(pin);
  return isPathPin(parsed) ? tree.slice(0, 12) : shortPin(parsed);
}

/** What a source means now. */
interface Answer {
  readonly pin: string;
  /** In short. */
  readonly short: string;
  /** The hash of the files, where the pin does not say which they are. */
  readonly tree: string | undefined;
}

type Item = Pick<Asked, "kind" | "entry">;

async function ask(
  spec: SourceSpec,
  item: Item,
  supply: Supply,
): Promise<Answer> {
  const pin = await resolveSource(spec, supply.context);
  const tree = isPathPin(pin) ? await hashOf(pin, item, supply) : undefined;
  const short = tree?.slice(0, 12) ?? shortPin(pin);
  return { pin: formatPin(pin), short, tree };
}

async function askNewest(
  spec: SourceSpec,
  wanted: Answer,
  { supply, ...item }: Item & { readonly supply: Supply },
): Promise<Answer> {
  const newest = newestSpec(spec);
  if (JSON.stringify(newest) === JSON.stringify(spec)) return wanted;
  try {
    return await ask(newest, item, supply);
  } catch (error) {
    const hasNone = error instanceof AppError &&
      error.code === "SOURCE_NOT_FOUND";
    if (!hasNone) throw error;
    return wanted;
  }
}

async function hashOf(
  pin: Resolution,
  { kind, entry }: Item,
  { context, temp }: Supply,
): Promise<string> {
  const into = join(temp, tempName());
  makeDir(into);
  const root = await fetchSource(pin, into, {
    kind: KINDS[kind],
    subpath: entry.subpath,
    what: entry.name,
    context,
  });
  const hash = hashTree(root);
  removeTree(into);
  return hash;
}
