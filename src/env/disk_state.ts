/** Lock against disk: whether the store has what is pinned, and what stands in the slot. */
import { type AbsPath, join } from "../base/paths.ts";
import type { Lock } from "../manifest/mod.ts";
import { lstat, readDir } from "../os/fs.ts";
import {
  checkTree,
  type Difference,
  holdTree,
  type Store,
} from "../store/mod.ts";
import { compareAround } from "./place.ts";
import { type PlacedItem, placedItems } from "./place_names.ts";
import type { OpenEnv } from "./types.ts";

/** One plugin or skill as it is on the disk. */
export interface ItemState {
  readonly item: PlacedItem;
  /** Whether the store has its tree. */
  readonly isStored: boolean;
  /** `missing`: the next launch places it. */
  readonly state: "right" | "missing" | "changed";
  /** What is changed, by path below it. */
  readonly differences: readonly Difference[];
}

/** Everything that a lock pins, and what else there is. */
export interface DiskState {
  readonly items: readonly ItemState[];
  /** What is wrong around the trees, by path in the slot. */
  readonly around: readonly Difference[];
  /** Places in `installed/` that must be made anew. */
  readonly badRoots: readonly AbsPath[];
  /** What stands in `installed/` and is not in the lock. */
  readonly extra: readonly AbsPath[];
}

/** Looks at all of it. Throws `STORE_CORRUPT`, `IO`. */
export async function readDisk(
  env: OpenEnv,
  lock: Lock,
  store: Store,
): Promise<DiskState> {
  const placed = placedItems(lock, env);
  const roots = [...new Set(placed.map(({ root }) => root))];
  const items: ItemState[] = [];
  for (const item of placed) items.push(await stateOf(item, store));
  const around = roots.filter((root) => lstat(root) !== undefined)
    .map((root) => ({
      root,
      found: compareAround(root, placed.filter((item) => item.root === root)),
    }));
  const isBad = (root: AbsPath) =>
    items.some(({ item, state }) => item.root === root && state !== "right") ||
    around.some((one) => one.root === root && one.found.length > 0);
  return {
    items,
    around: around.flatMap(({ root, found }) =>
      found.map(({ path, change }) => ({
        path: below(env, path === "." ? root : join(root, path)),
        change,
      }))
    ),
    badRoots: roots.filter(isBad),
    extra: (readDir(env.slot.installed) ?? [])
      .map(({ name }) => join(env.slot.installed, name))
      .filter((path) => !roots.includes(path)),
  };
}

/** A path as it is called in the slot. */
export function below({ slot }: OpenEnv, path: AbsPath): string {
  return path.slice(slot.root.length + 1).replaceAll("\\", "/");
}

async function stateOf(item: PlacedItem, store: Store): Promise<ItemState> {
  const { tree: hash, target } = item;
  const isStored = await holdTree(store, hash);
  if (lstat(target) === undefined) {
    return { item, isStored, state: "missing", differences: [] };
  }
  const differences = await checkTree(store, { hash, target });
  const state = differences.length === 0 ? "right" : "changed";
  return { item, isStored, state, differences };
}
