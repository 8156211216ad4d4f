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
  readLink,
  removeFile,
  rename,
  tempName,
  writeNew,
} from "../os/fs.ts";
import { packRules } from "../os/landlock.ts";
import type { LookList } from "../os/looks.ts";
import { type Machine, readMachine } from "../os/machine.ts";
import { FACT, FACT_WORDS, statMany } from "../os/stat_list.ts";
import type { RememberedVariables } from "./env_memory.ts";
import type { Recorded } from "./looks.ts";
import type { ReadyEnforcement } from "./policy_memo.ts";
import {
  fullKey,
  inJson,
  kindOf,
  LOOK_BITS,
  LOOK_FACTS,
  LOOK_WORDS,
  MAX_QUICK_BYTES,
  NAMED,
  type QuickInfo,
  quickName,
  type QuickPlace,
  REAL,
} from "./quick.ts";
import { bytesOf, packParts } from "./quick_format.ts";
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
/** A file that changed as recently as this (microseconds) may change again without looking different. */
const SETTLED = 2e6;

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
  const seen = looks.seen();
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
    !mentions(key, runDir) && !looks.mention(runDir);
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

const KIND_LOOKS = "KT";
/** Of links on the way to a path. */
const MAX_LINKS = 40;

/** Looks that have to find the same again. */
class Looks {
  readonly #codes: string[] = [];
  readonly #paths: string[] = [];
  /** What was found when it was recorded; undefined for what is looked at just now. */
  readonly #numbers: (readonly number[] | undefined)[] = [];
  readonly #known = new Set<string>();

  /** Takes all of a list but what `isOwn` says. False when it is not understood. */
  take(list: LookList, isOwn: (path: string) => boolean): boolean {
    const paths = list.paths.split("\0");
    if (paths.pop() !== "" || paths.length !== list.codes.length) return false;
    let at = 0;
    for (const [i, path] of paths.entries()) {
      const code = list.codes[i]!;
      const length = KIND_LOOKS.includes(code) ? 1 : 6;
      if (!isOwn(path)) {
        this.#add(code, path, list.numbers.slice(at, at + length));
      }
      at += length;
    }
    return at === list.numbers.length;
  }

  /** Takes ways that end somewhere: each link on them has to be as it is. */
  takeReal(real: Recorded["real"]): boolean {
    return Object.entries(real).every(([path, end]) =>
      end !== null && this.#follow(path) === end
    );
  }

  /** Takes the kind that an entry has now. */
  kind(path: string): void {
    this.#add("K", path);
  }

  /** Whether one of the paths mentions a text. */
  mention(runDir: AbsPath): boolean {
    return mentions(this.#paths.join("\0"), runDir);
  }

  /** Codes, paths and what is found there now; undefined when that is not what was recorded. */
  seen(): Uint8Array<ArrayBuffer>[] | undefined {
    const encoder = new TextEncoder();
    const codes = Uint8Array.from(this.#codes, bitsOf);
    const text = this.#paths.map((path) => `${path}\0`).join("");
    const paths = encoder.encode(text);
    const found = statMany(paths, codes);
    if (found === undefined) return undefined;
    const kept: number[] = [];
    for (const [i, code] of this.#codes.entries()) {
      const words = found.words.subarray(i * FACT_WORDS, (i + 1) * FACT_WORDS);
      const kind = kindOf(found.result(i), words[FACT.mode]!);
      const facts = [kind, ...LOOK_FACTS.map((n) => words[n]!)];
      if (!isAsRecorded(facts, this.#numbers[i])) return undefined;
      const isKind = KIND_LOOKS.includes(code);
      kept.push(...facts.slice(0, isKind ? LOOK_WORDS.kind : LOOK_WORDS.all));
    }
    return [codes, paths, bytesOf(new Int32Array(kept))];
  }

  #add(code: string, path: string, numbers?: readonly number[]): void {
    if (this.#known.has(code + path)) return;
    this.#known.add(code + path);
    this.#codes.push(code);
    this.#paths.push(path);
    this.#numbers.push(numbers);
  }

  /** Where a path leads, with a look at each step; undefined when nowhere. */
  #follow(path: string): string | undefined {
    const left = path.split("/").reverse();
    const done: string[] = [];
    for (let links = 0; left.length > 0;) {
      const name = left.pop()!;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        done.pop();
        continue;
      }
      const at = "/" + [...done, name].join("/");
      const target = readLink(at);
      if (target === undefined) {
        this.#add("K", at);
        done.push(name);
        continue;
      }
      if (++links > MAX_LINKS) return undefined;
      this.#add("F", at);
      if (target.startsWith("/")) done.length = 0;
      left.push(...target.split("/").reverse());
    }
    return "/" + done.join("/");
  }
}

function bitsOf(code: string): number {
  return ("ST".includes(code) ? LOOK_BITS.follows : 0) |
    (KIND_LOOKS.includes(code) ? 0 : LOOK_BITS.all);
}

/** Kind, device, inode, size, and microseconds of the last write and change. */
function isAsRecorded(
  facts: readonly number[],
  numbers: readonly number[] | undefined,
): boolean {
  if (numbers === undefined) return true;
  if (numbers[0] !== facts[0]) return false;
  if (numbers.length === 1 || facts[0]! <= 0) return true;
  const words = facts.slice(1).map((word) => word >>> 0);
  const wide = (at: number) => words[at]! + words[at + 1]! * 2 ** 32;
  const micros = (at: number) =>
    words[at]! * 1e6 + Math.floor(words[at + 1]! / 1000);
  // In the order of LOOK_FACTS: inode, size, changed, written, device.
  const device = words[8]! * 2 ** 20 + words[9]!;
  const now = [device, wide(0), wide(2), micros(6), micros(4)];
  return now.every((value, i) => value === numbers[i + 1]);
}
