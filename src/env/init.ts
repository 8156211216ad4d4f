/** `init`: our home, its shims, and the env `default` from the user's configuration. Running it again mends what is missing. */
import { type Dirs, slotAt } from "../base/dirs.ts";
import { Var } from "../base/env_vars.ts";
import { AppError } from "../base/errors.ts";
import type { EnvName } from "../base/ids.ts";
import { type AbsPath, isWithin, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { newManifest } from "../manifest/mod.ts";
import {
  chmod,
  DIR_MODE,
  ensureDir,
  lstat,
  makeDir,
  readDir,
  realPath,
  stat,
  writeNew,
} from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { hostDirs } from "./active.ts";
import { cloneConfig, type LeftOut } from "./clone/mod.ts";
import { makeShim, planShims, shimPath } from "./shims.ts";
import { STAGING, transact } from "./slots.ts";
import { homeOrNone, userPlaces } from "./user_places.ts";

/** What to do. */
export interface InitInput {
  /** The program that shims lead to; undefined makes none. */
  readonly program: AbsPath | undefined;
  /** Whether to make the env `default`. */
  readonly makeDefault: boolean;
}

/** What was done. */
export interface InitResult {
  readonly home: AbsPath;
  /** The directory for PATH. */
  readonly shims: AbsPath;
  /** Shims made or mended now. */
  readonly madeShims: readonly AbsPath[];
  readonly defaultEnv: {
    readonly state: "copied" | "empty" | "exists" | "skipped";
    /** The configuration it was made from. */
    readonly from: AbsPath | undefined;
    readonly leftOut: readonly LeftOut[];
  };
}

const DEFAULT = "default" as EnvName;

/** Makes or mends the home. Throws `HOME_UNSET`, `PATH_INVALID`, `IO`. */
export async function initHome(
  input: InitInput,
  host: Host,
): Promise<InitResult> {
  const dirs = hostDirs(host);
  checkRoot(dirs, host);
  if (input.program) planShims(input.program, host, dirs);
  // What a look from outside makes, and no transaction.
  ensureDir(dirs.root);
  closeDir(dirs.root);
  const prepare = (scratch: AbsPath) =>
    input.makeDefault && !hasDefault(dirs)
      ? prepareDefault(scratch, { host, dirs })
      : undefined;
  const about = { kind: "init", env: null, prepare };
  return await transact(about, { host, dirs }, (tx, prepared) => {
    const steps = input.program ? planShims(input.program, host, dirs) : [];
    for (const dir of [dirs.envs, dirs.shims, dirs.runs, dirs.cache]) {
      if (stat(dir) === undefined) tx.makeDir(dir);
      else closeDir(dir);
    }
    for (const step of steps) makeShim(step, { host, tx });
    const defaultEnv: InitResult["defaultEnv"] = !input.makeDefault
      ? { state: "skipped", from: undefined, leftOut: [] }
      : prepared === undefined || hasDefault(dirs)
      ? { state: "exists", from: undefined, leftOut: [] }
      : prepared;
    if (defaultEnv === prepared) {
      tx.place(STAGING, join(dirs.envs, DEFAULT), { completes: true });
    }
    return {
      home: dirs.root,
      shims: dirs.shims,
      madeShims: steps.map((step) => step.path),
      defaultEnv,
    };
  });
}

function hasDefault(dirs: Dirs): boolean {
  return lstat(join(dirs.envs, DEFAULT)) !== undefined;
}

/** The shim `claude` of this home. */
export function claudeShim(host: Host, dirs: Dirs): AbsPath {
  return shimPath("claude", host, dirs);
}

/** Refuses a root whose mode is not ours to change: HOME itself, what HOME lies in, somebody else's, one with foreign things. */
function checkRoot({ root }: Dirs, host: Host): void {
  const real = realPath(root) ?? root;
  const home = homeOrNone(host);
  const isAboveHome = home !== undefined &&
    isWithin(realPath(home) ?? home, real);
  const info = stat(root);
  const isForeign = info !== undefined && host.uid !== undefined &&
    info.uid !== host.uid;
  const state = isAboveHome
    ? "your home directory is in it"
    : isForeign
    ? "it belongs to another user"
    : holdsOtherThings(root)
    ? "it holds other things"
    : undefined;
  if (state === undefined) return;
  throw new AppError(
    "PATH_INVALID",
    `Cannot use ${quote(root)} as the aenv home: ${state}`,
    { hint: `Set ${Var.home} to a directory of its own` },
  );
}

function holdsOtherThings(root: AbsPath): boolean {
  if (stat(root)?.kind !== "directory") return false;
  const names = (readDir(root) ?? []).map((entry) => entry.name);
  const own = [
    "envs",
    "shims",
    "config.toml",
    "cache",
    "runs",
    ".lock",
    "state",
    "trash",
  ];
  return names.length > 0 && !names.some((name) => own.includes(name));
}

/** Closes a directory to others. */
function closeDir(dir: AbsPath): void {
  if (stat(dir)?.mode !== DIR_MODE) chmod(dir, DIR_MODE);
}

function prepareDefault(
  scratch: AbsPath,
  { host, dirs }: { host: Host; dirs: Dirs },
): InitResult["defaultEnv"] {
  const staging = slotAt(join(scratch, STAGING));
  makeDir(staging.root);
  writeNew(staging.manifest, newManifest(DEFAULT));
  const user = userPlaces(host, dirs);
  if (stat(user.dir)?.kind !== "directory") {
    return { state: "empty", from: undefined, leftOut: [] };
  }
  const leftOut = cloneConfig({
    from: user.dir,
    stateFile: user.stateFile,
    to: staging.claude,
    place: join(dirs.envs, DEFAULT, "claude"),
    home: host.home(),
    uid: host.uid,
  });
  return { state: "copied", from: user.dir, leftOut };
}
