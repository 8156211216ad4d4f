/** Remembering a launch, after it was planned the long way. */
import { AppError } from "../base/errors.ts";
import {
  type AbsPath,
  basename,
  isWithin,
  join,
  parent,
} from "../base/paths.ts";
import { epochMs } from "../os/clock.ts";
import {
  ensureDir,
  readBytes,
  readDir,
  removeFile,
  rename,
  tempName,
  writeNew,
} from "../os/fs.ts";
import { packRules } from "../os/landlock.ts";
import { type Machine, readMachine } from "../os/machine.ts";
import type { RememberedVariables } from "./env_memory.ts";
import type { Recorded } from "./looks.ts";
import type { ReadyEnforcement } from "./policy_memo.ts";
import {
  fullKey,
  inJson,
  MAX_QUICK_BYTES,
  NAMED,
  type QuickInfo,
  quickName,
  type QuickPlace,
  REAL,
} from "./quick.ts";
import { bytesOf, packParts } from "./quick_format.ts";
import { Looks, SETTLED } from "./quick_looks.ts";
import type { SandboxPolicy } from "./types.ts";

/** What was found out about a launch. */
export interface LaunchFacts {
  readonly policy: SandboxPolicy;
  readonly ready: ReadyEnforcement;
  /** What policy and input were made from. */
  readonly looks: readonly Recorded[];
  readonly variables: RememberedVariables;
  readonly values: QuickInfo["values"];
  readonly notes: readonly string[];
  readonly summary: string;
  readonly project: AbsPath;
}

/** Launches of one env: projects, programs and terminals each have their own. */
const MAX_LAUNCHES = 40;

/** Keeps a launch for later ones, where it is understood in full and can be written; else nothing. */
export function rememberLaunch(place: QuickPlace, facts: LaunchFacts): void {
  try {
    const machine = readMachine(place.self);
    const bytes = machine && launchBytes(place, { ...facts, machine });
    if (bytes === undefined || bytes.length > MAX_QUICK_BYTES) return;
    write(place.dir, quickName(place.names, machine!), bytes);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
  }
}

function launchBytes(
  place: QuickPlace,
  facts: LaunchFacts & { readonly machine: Machine },
): Uint8Array<ArrayBuffer> | undefined {
  const { policy, ready: { enforcement, filter, trial }, machine } = facts;
  const { runDir } = place;
  const now = place.now ?? epochMs() * 1000;
  const isLate = facts.looks.some(({ latest }) => latest > now - SETTLED);
  const needsMore = enforcement.mounts ?? enforcement.mediation ??
    (enforcement.logs || undefined);
  if (isLate || needsMore !== undefined) return undefined;
  const realRun = realRunDir(policy, runDir);
  const isOwn = (path: string) =>
    isWithin(path, runDir) || isWithin(path, realRun);
  const looks = new Looks();
  for (const { list, real } of facts.looks) {
    if (!looks.take(list, isOwn) || !looks.takeReal(real)) return undefined;
  }
  for (const dir of policy.make) if (!isOwn(dir)) looks.kind(dir);
  looks.kind(trial);
  looks.steady();
  const seen = looks.seen(now);
  const rules = enforcement.landlock.paths.map(({ path, kind, access }) => ({
    ...{ path, access },
    isDirectory: kind === "directory",
  }));
  const packed = packRules(rules.filter(({ path }) => !isOwn(path)));
  const { environment: _, ...rest } = policy;
  const info = infoOf(facts, {
    rules: rules.filter(({ path }) => isOwn(path)),
    runs: parent(realRun),
    // Its own directory is there before anything is confined.
    make: policy.make.filter((dir) =>
      isOwn(dir) && dir !== runDir && dir !== realRun
    ),
    lastCapability: machine.canDrop ? lastCapability() : null,
  });
  const names = { runDir, realRun };
  const [about, kept] = [info, rest].map((value) => marked(value, names));
  const key = fullKey(place, machine);
  const isPlain = about !== undefined && kept !== undefined &&
    !mentions(key, runDir) && !mentions(looks.text(), runDir);
  if (!isPlain || seen === undefined || packed === undefined) return undefined;
  const encoder = new TextEncoder();
  return packParts([
    ...[encoder.encode(key), encoder.encode(about), ...seen],
    ...[packed.paths, bytesOf(packed.access), filter, encoder.encode(kept)],
  ]);
}

function infoOf(
  { policy, ready, variables, values, notes, summary, project }: LaunchFacts,
  own: Pick<QuickInfo, "rules" | "runs" | "make" | "lastCapability">,
): QuickInfo {
  const { handledFiles, handledNetwork, scoped } = ready.enforcement.landlock;
  return {
    ...{ variables, values, notes, summary, project, ...own },
    ...{ handledFiles, handledNetwork, scoped },
    sets: policy.sets,
    tmpDir: policy.tmpDir,
    protected: policy.protected,
  };
}

/** Where the run directory will really lie; where the policy does not name it, as it is named. */
function realRunDir({ tmpDir }: SandboxPolicy, runDir: AbsPath): AbsPath {
  return basename(parent(tmpDir)) === basename(runDir)
    ? parent(tmpDir)
    : runDir;
}

/** A value as JSON in which the run directory is marked; undefined when it stands where that is not understood. */
function marked(
  value: unknown,
  { runDir, realRun }: {
    readonly runDir: AbsPath;
    readonly realRun: AbsPath;
  },
): string | undefined {
  const text = JSON.stringify(value);
  if (text.includes(NAMED) || text.includes(REAL)) return undefined;
  const kept = text.replaceAll(inJson(realRun), REAL)
    .replaceAll(inJson(runDir), NAMED);
  return mentions(kept, runDir) ? undefined : `${parent(realRun)}\n${kept}`;
}

/** Whether a text holds something that belongs to this launch alone. */
function mentions(text: string, runDir: AbsPath): boolean {
  const process = `/proc/${basename(runDir).split("-")[0]}`;
  return [basename(runDir), `${process}/`, `${process}"`].some((own) =>
    text.includes(own)
  );
}

function lastCapability(): number | null {
  const bytes = readBytes("/proc/sys/kernel/cap_last_cap");
  const last = Number(new TextDecoder().decode(bytes));
  return bytes && Number.isInteger(last) ? last : null;
}

function write(
  dir: AbsPath,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  ensureDir(dir);
  const old = (readDir(dir) ?? []).filter((entry) =>
    entry.name.endsWith(".launch")
  );
  if (old.length >= MAX_LAUNCHES) {
    for (const entry of old) removeFile(join(dir, entry.name));
  }
  const temp = join(dir, tempName());
  // No wait for the disk: a damaged file is told by its form.
  writeNew(temp, bytes);
  rename(temp, join(dir, name));
}
