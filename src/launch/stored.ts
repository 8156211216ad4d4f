/** Plugins and skills that the lock pins: placed from the store, and checked at every launch. */
import type { Dirs } from "../base/dirs.ts";
import type { AbsPath } from "../base/paths.ts";
import type { Host } from "../os/host.ts";
import type { TreeHash } from "../store/mod.ts";
import type { InstallStep } from "./types.ts";

/** A step whose tree is in the store. */
export type StoredStep = InstallStep & { readonly tree: TreeHash };

/** Whether a step's tree is in the store. */
export function isStored(step: InstallStep): step is StoredStep {
  return step.tree !== undefined;
}

/** Each environment has files of its own: a write in one cannot reach another. */
const OWN_FILES = { share: false } as const;

/** Places a tree. Throws `STORE_MISSING`, `STORE_CORRUPT`, `IO`. */
export async function placeFromStore(
  { tree, target }: { readonly tree: TreeHash; readonly target: AbsPath },
  dirs: Dirs,
): Promise<void> {
  const { linkTree, openStore } = await import("../store/mod.ts");
  using store = openStore(dirs.store);
  await linkTree(store, { hash: tree, target }, OWN_FILES);
}

/** Puts back what was changed since it was placed, and says so. Throws `STORE_MISSING`, `STORE_CORRUPT`, `IO`. */
export async function mendPlaced(
  steps: readonly StoredStep[],
  { host, dirs }: { readonly host: Host; readonly dirs: Dirs },
): Promise<void> {
  const { checkTree, openStore, repairTree } = await import("../store/mod.ts");
  using store = openStore(dirs.store);
  for (const { kind, name, tree, target } of steps) {
    const placement = { hash: tree, target };
    if ((await checkTree(store, placement)).length === 0) continue;
    const mended = await repairTree(store, placement, OWN_FILES);
    const paths = mended.slice(0, 3).map(({ path }) => path).join(", ");
    host.notice(
      `aenv: ${kind} ${name} was changed in the environment and has been put back: ${paths}`,
    );
  }
}
