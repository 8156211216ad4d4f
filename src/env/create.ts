/** `new`: a global env, empty or as a copy of another. */
import { type Dirs, LOCK_FILE, slotAt, type SlotDirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type EnvName, parseEnvName } from "../base/ids.ts";
import { type AbsPath, isBelow, isWithin, join } from "../base/paths.ts";
import { relative } from "node:path";
import { quote } from "../base/text.ts";
import { newManifest } from "../manifest/mod.ts";
import { makeDir, readText, type Stat, stat, writeNew } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { localPath, parseSource } from "../sources/mod.ts";
import { hostDirs } from "./active.ts";
import { cloneConfig, copyTree, type LeftOut, Rewriter } from "./clone/mod.ts";
import { copyManifest } from "./manifest_copy.ts";
import { openEnv } from "./open.ts";
import { refFromOption } from "./resolve.ts";
import { requireFree, STAGING, transact } from "./slots.ts";
import type { OpenEnv } from "./types.ts";
import { homeOrNone, userPlaces } from "./user_places.ts";

/** What to make. */
export interface CreateInput {
  readonly name: string;
  /** What to copy, as `-E` takes it; undefined makes an empty env. */
  readonly from: string | undefined;
  /** Whether the manifest holds the required keys only. */
  readonly bare: boolean;
  /** Whether its manifest asks for the sandbox; a copy of an env has what its source says. */
  readonly sandbox: boolean;
  /** Throws when this source must not be copied: what it is shown is what is copied. */
  readonly check?: (source: OpenEnv) => void;
}

/** What was made. */
export interface CreateResult {
  readonly name: EnvName;
  readonly path: AbsPath;
  readonly manifest: AbsPath;
  /** Whether its manifest asks for the sandbox. */
  readonly confined: boolean;
  readonly leftOut: readonly LeftOut[];
}

/** Makes the env, whole or not at all. Throws `NAME_INVALID`, `ENV_RESERVED`, `ENV_EXISTS`, `IO`, and why `from` cannot be opened. */
export async function createEnv(
  input: CreateInput,
  host: Host,
): Promise<CreateResult> {
  const name = parseEnvName(input.name);
  if (input.bare && input.from !== undefined) {
    throw new AppError(
      "USAGE",
      'Cannot use "--bare" with "--from": a copy has the manifest of its source',
      { hint: `Leave one out: aenv new ${name} --from ${input.from}` },
    );
  }
  const dirs = hostDirs(host);
  requireFree(name, dirs);
  const source = input.from === undefined
    ? undefined
    : openEnv(refFromOption(input.from, host, dirs), host, dirs);
  if (source?.kind === "env") input.check?.(source);
  const slot = slotAt(join(dirs.envs, name));
  const prepare = (scratch: AbsPath) => {
    const staging = slotAt(join(scratch, STAGING));
    makeDir(staging.root);
    const copied = source?.kind === "env" ? stat(source.slot.root) : undefined;
    const target = { name, staging, host, dirs };
    if (source?.kind === "env") {
      return { copied, leftOut: copyEnv(source, target) };
    }
    writeNew(staging.manifest, newManifest(name, input));
    const leftOut = source === undefined ? [] : copyUserConfig(target);
    return { copied, leftOut };
  };
  const about = {
    kind: "new",
    env: name,
    note: input.from && `from ${input.from}`,
    prepare,
  };
  const leftOut = await transact(about, { host, dirs }, (tx, made) => {
    requireFree(name, dirs);
    if (source?.kind === "env") requireUnmoved(source, made.copied);
    if (stat(dirs.envs) === undefined) tx.makeDir(dirs.envs);
    tx.place(STAGING, slot.root, { completes: true });
    return made.leftOut;
  });
  const confined = source?.kind === "env"
    ? source.manifest.sandbox?.enabled === true
    : input.sandbox;
  return { name, path: slot.root, manifest: slot.manifest, confined, leftOut };
}

/** Refuses a copy of what was removed or renamed while it was copied: something may be missing in it. */
function requireUnmoved(source: OpenEnv, copied: Stat | undefined): void {
  const now = stat(source.slot.root);
  if (now?.ino === copied?.ino && now?.dev === copied?.dev) return;
  throw new AppError(
    "TX_CONFLICT",
    `Cannot copy environment ${quote(source.label)}: it was changed meanwhile`,
    { hint: "Try again" },
  );
}

/** The env that is being made. */
interface Target {
  readonly name: EnvName;
  readonly staging: SlotDirs;
  readonly host: Host;
  readonly dirs: Dirs;
}

function copyUserConfig(
  { name, staging, host, dirs }: Target,
): readonly LeftOut[] {
  const user = userPlaces(host, dirs);
  if (stat(user.dir)?.kind !== "directory") return [];
  return cloneConfig({
    from: user.dir,
    stateFile: user.stateFile,
    to: staging.claude,
    place: join(dirs.envs, name, "claude"),
    home: host.home(),
    uid: host.uid,
  });
}

function copyEnv(
  source: OpenEnv,
  target: Target,
): readonly LeftOut[] {
  const { name, staging, host, dirs } = target;
  const slot = slotAt(join(dirs.envs, name));
  const home = homeOrNone(host);
  const { text, leftOut } = copyManifest(source, { name, slot, home });
  writeNew(staging.manifest, text);
  const notes = [...leftOut];
  if (source.scope === "named") {
    const rewriter = new Rewriter({
      from: [source.slot.root],
      to: slot.root,
      home,
    });
    const lock = readText(join(source.baseDir, LOCK_FILE));
    if (lock !== undefined) {
      writeNew(join(staging.root, LOCK_FILE), rewriter.absolute(lock));
    }
    notes.push(...copyTree({
      from: source.baseDir,
      to: staging.root,
      rewriter,
      uid: host.uid,
    }, ownSources(source, host)));
  }
  if (stat(source.slot.claude)?.kind !== "directory") return notes;
  const cloned = cloneConfig({
    from: source.slot.claude,
    stateFile: join(source.slot.claude, ".claude.json"),
    to: staging.claude,
    place: slot.claude,
    home,
    uid: host.uid,
    confined: source.manifest.sandbox?.enabled === true,
  });
  return [...notes, ...cloned];
}

/** Sources of plugins and skills that lie inside the env's own directory, relative to it; nested ones only once. */
function ownSources(source: OpenEnv, host: Host): string[] {
  const { baseDir, manifest, slot } = source;
  const kept = [slot.claude, slot.installed, slot.xdg];
  const paths = [...manifest.plugins, ...manifest.skills]
    .map(({ source }) => parseSource(source))
    .filter((spec) => spec.kind === "path")
    .map(({ path }) => localPath(path, { manifestDir: baseDir, host }))
    .filter((path) =>
      isBelow(path, baseDir) && !kept.some((dir) => isWithin(path, dir))
    );
  return [...new Set(paths.map((path) => relative(baseDir, path)))].sort();
}
