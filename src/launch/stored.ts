/** Plugins and skills that the lock pins: placed from the store, and checked at every launch. */
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { escapeControl } from "../base/text.ts";
import {
  compareAround,
  isSharedPlace,
  mendAround,
  type OpenEnv,
} from "../env/mod.ts";
import type { Host } from "../os/host.ts";
import type { Store, TreeHash } from "../store/mod.ts";
import type { InstallStep } from "./types.ts";

/** A step whose tree is in the store. */
export type StoredStep = InstallStep & { readonly tree: TreeHash };

/** Whether a step's tree is in the store. */
export function isStored(step: InstallStep): step is StoredStep {
  return step.tree !== undefined;
}

/** Places a tree for the place `root`, which it is moved to; `standsAt` is where it is then. Throws `STORE_MISSING`, `STORE_CORRUPT`, `IO`. */
export async function placeFromStore(
  { tree, target }: { readonly tree: TreeHash; readonly target: AbsPath },
  { dirs, root, standsAt }: {
    readonly dirs: Dirs;
    readonly root: AbsPath;
    readonly standsAt: AbsPath;
  },
): Promise<void> {
  const { linkTree, openStore } = await import("../store/mod.ts");
  using store = openStore(dirs.store);
  const share = isSharedPlace(root);
  await linkTree(store, { hash: tree, target }, { share, standsAt });
}

/** Where placed trees stand. */
interface PlaceContext {
  readonly env: OpenEnv;
  readonly host: Host;
  readonly dirs: Dirs;
}

/** Puts back what was changed since it was placed, and says so. Throws `STORE_MISSING`, `STORE_CORRUPT`, `IO`. */
export async function mendPlaced(
  steps: readonly StoredStep[],
  context: PlaceContext,
): Promise<void> {
  const { openStore } = await import("../store/mod.ts");
  using store = openStore(context.dirs.store);
  if (await looksRight(store, steps, context.env)) return;
  // One at a time: to another one what this one is making would be something that was added.
  await store.mending(
    context.env.slotName,
    () => mendAlone(store, steps, context),
  );
}

/** Whether nothing has to be mended; false also for what another launch is mending just now. */
async function looksRight(
  store: Store,
  steps: readonly StoredStep[],
  env: OpenEnv,
): Promise<boolean> {
  const { checkTree } = await import("../store/mod.ts");
  try {
    const around = byRoot(steps, env).every(([root, own]) =>
      compareAround(root, own).length === 0
    );
    if (!around) return false;
    for (const { tree, target } of steps) {
      const found = await checkTree(store, { hash: tree, target });
      if (found.length > 0) return false;
    }
    return true;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
    return false;
  }
}

async function mendAlone(
  store: Store,
  steps: readonly StoredStep[],
  { env, host }: PlaceContext,
): Promise<void> {
  const { repairTree } = await import("../store/mod.ts");
  mendRoots(steps, { env, host });
  for (const { kind, name, tree, target } of steps) {
    const share = isSharedPlace(rootOf(target, env));
    const mended = await repairTree(store, { hash: tree, target }, { share });
    if (mended.length === 0) continue;
    tell(host, `${kind} ${name} was changed in the environment`, mended);
  }
}

/** Around the trees nothing may stand: what lies beside skills would be one as well. */
function mendRoots(
  steps: readonly StoredStep[],
  { env, host }: { readonly env: OpenEnv; readonly host: Host },
): void {
  for (const [root, own] of byRoot(steps, env)) {
    const mended = mendAround(root, own);
    if (mended.length === 0) continue;
    const names = own.map(({ name }) => name).join(", ");
    tell(host, `what stands beside ${names} was changed`, mended);
  }
}

type RootedStep = StoredStep & { readonly root: AbsPath };

function byRoot(
  steps: readonly StoredStep[],
  env: OpenEnv,
): [AbsPath, RootedStep[]][] {
  const items = steps.map((step) => ({
    ...step,
    root: rootOf(step.target, env),
  }));
  return [...new Set(items.map((item) => item.root))].map((root) => [
    root,
    items.filter((item) => item.root === root),
  ]);
}

/** The place in `installed/` that holds what stands at `path`. */
export function rootOf(path: AbsPath, { slot }: OpenEnv): AbsPath {
  const [first = ""] = path.slice(slot.installed.length + 1)
    .split(/[/\\]/, 1);
  return join(slot.installed, first);
}

function tell(
  host: Host,
  what: string,
  mended: readonly { readonly path: string }[],
): void {
  const paths = mended.slice(0, 3).map(({ path }) => path).join(", ");
  host.notice(escapeControl(`aenv: ${what} and has been put back: ${paths}`));
}
