/** `list`: every env, also those that cannot be opened. */
import {
  type Dirs,
  MANIFEST_FILE,
  PROJECT_FILE,
  slotAt,
} from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type EnvName, GLOBAL, isGlobal, nameProblem } from "../base/ids.ts";
import { type AbsPath, basename, join, parseAbsPath } from "../base/paths.ts";
import { lstat, readDir, readKnownText, readText, realPath } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { OpenDirectory } from "../os/marks.ts";
import { hostDirs } from "./active.ts";
import { ListCache } from "./list_cache.ts";
import { MAX_MANIFEST_BYTES, namedEnv, openEnv, openNamed } from "./open.ts";
import { resolveEnv } from "./resolve.ts";
import { liveRuns } from "./runs.ts";
import type { EnvRef, OpenEnv } from "./types.ts";

/** One env of the listing. */
export interface ListRow {
  readonly name: string;
  readonly scope: "global" | "named" | "project";
  readonly active: boolean;
  /** Directory name below `envs/`: what `remove` takes. Null for `global`. */
  readonly slot: string | null;
  /** Why it cannot be opened; null when it can. */
  readonly broken: string | null;
  readonly isolation: "private" | "overlay" | null;
  readonly description: string;
  /** The slot's directory; null for `global`. */
  readonly path: string | null;
  /** A project env's manifest. */
  readonly manifest: string | null;
  /** A project's slot whose project is no longer there. */
  readonly orphaned: boolean;
  /** Agents that run in it. */
  readonly running: number;
}

/** The listing, and why the active env could not be told where it could not. */
export interface Listing {
  readonly envs: readonly ListRow[];
  readonly problem: AppError | undefined;
}

/** `global`, then named envs, then projects, each sorted. Throws `IO` when the home cannot be read. */
export function listEnvs(host: Host): Listing {
  const dirs = hostDirs(host);
  const rows = slotRows(host, dirs);
  const active = findActive(host, dirs);
  const isActive = (row: ListRow) =>
    active.row !== undefined && isSame(row, active.row);
  if (active.row && !rows.some(isActive)) rows.push(active.row);
  const global = { ...row(GLOBAL, "global"), active: active.isGlobal };
  const sorted = ["named", "project"].flatMap((scope) =>
    rows.filter((row) => row.scope === scope)
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  );
  const runs = liveRuns(dirs);
  return {
    envs: [global, ...sorted].map((item) => ({
      ...item,
      active: item.active || isActive(item),
      running: runs.filter((run) => run.slotName === item.slot).length,
    })),
    problem: active.problem,
  };
}

function slotRows(host: Host, dirs: Dirs): ListRow[] {
  const slots = (readDir(dirs.envs) ?? [])
    .filter(({ name }) => !name.startsWith("."));
  if (slots.length === 0) return [];
  using envs = new OpenDirectory(realPath(dirs.envs) ?? dirs.envs);
  const cache = ListCache.of(dirs, slots.length);
  const rows = slots.map(({ name, kind }) =>
    (kind === "directory"
      ? plainRow(name, envs, { dirs, cache })
      : undefined) ??
      slotRow(name, host, dirs)
  );
  cache?.save();
  return rows;
}

/** The row of a global env with nothing strange about its files; there may be a thousand of them. */
function plainRow(
  name: string,
  envs: OpenDirectory,
  { dirs, cache }: { dirs: Dirs; cache: ListCache | undefined },
): ListRow | undefined {
  if (nameProblem(name) !== undefined || isGlobal(name)) return undefined;
  if (envs.markOf(`${name}/${PROJECT_FILE}`) !== undefined) return undefined;
  const mark = envs.markOf(`${name}/${MANIFEST_FILE}`);
  if (mark?.kind !== "file" || mark.size > MAX_MANIFEST_BYTES) return undefined;
  const path = join(dirs.envs, name);
  const known = { ...row(name, "named"), slot: name, path };
  const facts = cache?.get(name, mark);
  if (facts !== undefined) return { ...known, ...facts };
  const found = attempt(known, () => {
    const slot = slotAt(path);
    const text = readKnownText(slot.manifest);
    return envRow(namedEnv(name as EnvName, text, slot));
  });
  cache?.set(name, mark, found);
  return found;
}

/** Whether two rows are one env: a project's broken manifest does not tell its slot. */
function isSame(a: ListRow, b: ListRow): boolean {
  if (a.slot !== null && b.slot !== null) return a.slot === b.slot;
  return a.manifest !== null && b.manifest !== null &&
    !a.orphaned && realPath(a.manifest) === realPath(b.manifest);
}

/** The manifest that a project's slot belongs to; undefined for other slots. */
export function slotProject(slot: AbsPath): AbsPath | undefined {
  const text = readText(join(slot, PROJECT_FILE), 64 * 1024)?.trim();
  return text === undefined ? undefined : parseAbsPath(text, PROJECT_FILE);
}

function row(name: string, scope: ListRow["scope"]): ListRow {
  return {
    name,
    scope,
    active: false,
    slot: null,
    broken: null,
    isolation: null,
    description: "",
    path: null,
    manifest: null,
    orphaned: false,
    running: 0,
  };
}

/** What the current directory and the variables choose, as a row. */
function findActive(host: Host, dirs: Dirs): {
  readonly row?: ListRow;
  readonly isGlobal: boolean;
  readonly problem: AppError | undefined;
} {
  const problem = undefined;
  let ref: EnvRef;
  try {
    ref = resolveEnv(host, dirs).ref;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { isGlobal: false, problem: error };
  }
  if (ref.kind === "global") return { isGlobal: true, problem };
  const found = ref.kind === "named"
    ? slotRow(ref.name, host, dirs)
    : projectRow(ref.manifest, host, dirs);
  return { row: { ...found, active: true }, isGlobal: false, problem };
}

function slotRow(slot: string, host: Host, dirs: Dirs): ListRow {
  const path = join(dirs.envs, slot);
  const known = { slot, path };
  return attempt({ ...row(slot, "named"), ...known }, () => {
    const manifest = slotProject(path);
    if (manifest !== undefined) {
      return { ...projectSlotRow(slot, manifest, { host, dirs }), ...known };
    }
    const problem = nameProblem(slot) ??
      (isGlobal(slot) ? "the name is reserved" : undefined);
    return problem === undefined
      ? envRow(openNamed(slot as EnvName, dirs))
      : { ...row(slot, "named"), ...known, broken: problem };
  });
}

/** A slot counts as orphaned when its project is gone, was moved, or has another name now. */
function projectSlotRow(
  slot: string,
  manifest: AbsPath,
  { host, dirs }: { host: Host; dirs: Dirs },
): ListRow {
  const found = projectRow(manifest, host, dirs);
  const isOther = found.slot !== null && found.slot !== slot;
  if (lstat(manifest) !== undefined && !isOther) return found;
  return {
    ...row(slot.replace(/-[0-9a-f]{8}$/, ""), "project"),
    manifest,
    orphaned: true,
  };
}

function projectRow(manifest: AbsPath, host: Host, dirs: Dirs): ListRow {
  const known = { ...row(basename(join(manifest, "..")), "project"), manifest };
  return attempt(known, () => {
    const env = openEnv({ kind: "project", manifest }, host, dirs);
    return env.kind === "env" ? envRow(env) : known;
  });
}

function envRow(env: OpenEnv): ListRow {
  return {
    ...row(env.label, env.scope),
    slot: env.slotName,
    isolation: env.manifest.isolation,
    description: env.manifest.description,
    path: env.slot.root,
    manifest: env.scope === "project" ? env.manifestPath : null,
  };
}

/** The row that `make` gives; `known` with the reason where that fails. */
function attempt(known: ListRow, make: () => ListRow): ListRow {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ...known, broken: stateOf(error) };
  }
}

/** The part of a message behind the object. */
function stateOf(error: AppError): string {
  return /^Cannot [^"]*"[^"]*": (.*)$/s.exec(error.message)?.[1] ??
    error.message;
}
