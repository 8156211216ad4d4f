/** Taking changes of envs back: never under an agent, and never leaving a name that leads nowhere unsaid. */
import type { Dirs } from "../base/dirs.ts";
import { basename, parent } from "../base/paths.ts";
import { realPath } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import {
  concerns,
  type History,
  parseTxId,
  prune,
  type Pruned,
  type PruneLimits,
  readHistory,
  type Recovered,
  rollback,
  rollbackPending,
  type RollbackResult,
  type TxRecord,
} from "../tx/mod.ts";
import { hostDirs } from "./active.ts";
import { openEnv } from "./open.ts";
import { findPointers } from "./pointers.ts";
import { inUse } from "./remove.ts";
import { refFromOption } from "./resolve.ts";
import { txHome } from "./slots.ts";

/** Which change. */
export interface RollbackChoice {
  /** The newest one unless given. */
  readonly id: string | undefined;
  /** An env as `-E` takes it: only changes of that one. */
  readonly env: string | undefined;
  /** Also what was changed since, and an env that something names. */
  readonly force: boolean;
}

/** Takes a change back, by a change that can be taken back too. Throws `TX_NOT_FOUND`, `TX_CONFLICT`, `TX_INVALID`, `ENV_BUSY`, `ENV_IN_USE`, `IO`. */
export async function rollbackChange(
  { id, env, force }: RollbackChoice,
  host: Host,
): Promise<RollbackResult> {
  const dirs = hostDirs(host);
  return await rollback(txHome(host, dirs), {
    id: id === undefined ? undefined : parseTxId(id),
    slotName: slotNameOf(env, host, dirs),
    force,
    check: force ? () => {} : (target) => requireUnnamed(target, host, dirs),
  });
}

/** Finishes or takes back what killed processes left, and removes what they had yet to put into the store. */
export async function recoverHome(
  options: { readonly force: boolean },
  host: Host,
): Promise<Recovered> {
  const dirs = hostDirs(host);
  const recovered = await rollbackPending(txHome(host, dirs), options);
  const { openStore, sweepStore } = await import("../store/mod.ts");
  using store = openStore(dirs.store);
  await sweepStore(store);
  return recovered;
}

/** What was changed, oldest first; of one env where `-E` names one. */
export function envHistory(env: string | undefined, host: Host): History {
  const dirs = hostDirs(host);
  const slotName = slotNameOf(env, host, dirs);
  const { items, broken } = readHistory(dirs);
  return {
    items: items.filter(({ record }) =>
      slotName === undefined || concerns(record, slotName, dirs)
    ),
    broken,
  };
}

/** Forgets old changes, which can then not be taken back any more. */
export async function pruneHistory(
  limits: PruneLimits,
  host: Host,
): Promise<Pruned> {
  return await prune(txHome(host, hostDirs(host)), limits);
}

function slotNameOf(
  env: string | undefined,
  host: Host,
  dirs: Dirs,
): string | undefined {
  if (env === undefined) return undefined;
  const ref = refFromOption(env, host, dirs);
  if (ref.kind !== "project") return ref.kind === "named" ? ref.name : "global";
  const opened = openEnv(ref, host, dirs);
  return opened.kind === "env" ? opened.slotName : undefined;
}

/** As `remove` does: an env that something names does not go away unasked. */
function requireUnnamed(target: TxRecord, host: Host, dirs: Dirs): void {
  const envs = realPath(dirs.envs) ?? dirs.envs;
  const config = realPath(dirs.config) ?? dirs.config;
  const movesDefault = target.entries.some((entry) => entry.path === config);
  for (const { op, path } of target.entries) {
    if (op !== "place" || parent(path) !== envs) continue;
    const name = basename(path);
    const pointers = findPointers(name, host, dirs)
      .filter(({ kind }) => kind !== "default_env" || !movesDefault);
    if (pointers.length === 0) continue;
    const command = `aenv rollback ${target.id} --force`;
    throw inUse(name, pointers, { action: "remove", command });
  }
}
