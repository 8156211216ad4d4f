/**
 * Policies from one launch to the next: looking at a machine anew takes longer than all else that a launch does. A memo
 * counts only while every look that its policy rests on would find the same, and everything that the launch knows is the
 * same text. It lies where nothing confined can read or write. Whatever is wrong with it costs time, and nothing else.
 *
 * A file has three lines: what was known, where run directories really lie, then looks and result. The launch's own run
 * directory stands in it as a mark that no path can hold.
 */
import { BUILD_INFO } from "../base/build_info.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, basename, join, parent } from "../base/paths.ts";
import { epochMs } from "../os/clock.ts";
import {
  ensureDir,
  readDir,
  realPath,
  removeFile,
  rename,
  tempName,
  writeNew,
} from "../os/fs.ts";
import { lookAt, type LookList, looksSame } from "../os/looks.ts";
import { readPrivate, REFUSED, requirePrivateDir } from "../os/private_file.ts";
import { terminalPath } from "../os/special_files.ts";
import type { Enforcement, KernelFacts } from "./exec_types.ts";
import type { Recorded } from "./looks.ts";
import type { PolicyInput } from "./policy_input.ts";
import type { SandboxPolicy } from "./types.ts";

/** A policy and the project that it is for. */
export interface MadePolicy {
  readonly policy: SandboxPolicy;
  /** Real path. */
  readonly projectRoot: AbsPath;
  /** What it was made from; undefined when that is not known in full. */
  readonly looks?: Recorded;
}

/** Where memos are kept, and of which launch. */
export interface MemoPlace {
  /** `sandbox/` of the env's slot. */
  readonly dir: AbsPath;
  /** Of this launch; new for each. */
  readonly runDir: AbsPath;
  /** This program: another build is another program. */
  readonly self: AbsPath;
  readonly kernel: KernelFacts;
  /** Microseconds since the epoch; the clock's unless given. */
  readonly now?: number;
}

/** How a policy is enforced without a supervisor. */
export interface ReadyEnforcement {
  readonly enforcement: Enforcement;
  /** The seccomp program of it. */
  readonly filter: Uint8Array<ArrayBuffer>;
  /** What shows that it was tried. */
  readonly trial: AbsPath;
}

/** What stands in the last line. */
interface Body {
  readonly looks: LookList;
  readonly real: Readonly<Record<string, AbsPath | null>>;
  readonly policy: Omit<SandboxPolicy, "environment">;
  readonly projectRoot: AbsPath;
  readonly ready: {
    readonly enforcement: Enforcement;
    readonly filter: readonly number[];
    readonly trial: AbsPath;
  } | null;
}

const NAMED = "\\u0000run";
const REAL = "\\u0000real";
const MAX_BYTES = 1024 * 1024;
/** Memos of one env: projects, programs and terminals each have their own. */
const MAX_MEMOS = 40;
/** A file that changed as recently as this (microseconds) may change again without looking different. */
const SETTLED = 2e6;

/** What a policy that was made could be remembered with. */
const offered = new WeakMap<
  SandboxPolicy,
  (ready: ReadyEnforcement | undefined) => void
>();
const recalled = new WeakMap<SandboxPolicy, ReadyEnforcement>();

/** What a memo is found by. */
export interface MemoKey {
  readonly path: AbsPath;
  /** All that a policy depends on besides the looks, as one line. */
  readonly text: string;
}

/** What the memo of a policy is found by; undefined when the policy is better made anew. */
export function memoKey(
  input: PolicyInput,
  { dir, runDir, self, kernel }: MemoPlace,
): MemoKey | undefined {
  if (input.os !== "linux") return undefined;
  const program = lookAt(self, "S");
  const terminal = terminalPath() ?? null;
  const text = JSON.stringify([BUILD_INFO, program, kernel, terminal, input]);
  const isPlain = !text.includes(NAMED) && !text.includes(REAL);
  if (program === undefined || !isPlain) return undefined;
  const { domain, cwd, agent, variables, environment } = input;
  const search = variables["PATH"];
  const names = [domain, cwd, agent.program, terminal, search];
  return {
    path: join(dir, shortSum([...names, environment.length].join("\n"))),
    text: text.replaceAll(inJson(runDir), NAMED),
  };
}

/** The policy of an earlier launch; undefined unless making it anew would give the same. */
export function recallPolicy(
  { environment }: PolicyInput,
  place: MemoPlace,
  key: MemoKey,
): MadePolicy | undefined {
  try {
    const body = readBody(place, key);
    if (body === undefined || !looksSame(body.looks)) return undefined;
    const isSame = Object.entries(body.real).every(([path, answer]) =>
      (realPath(path) ?? null) === answer
    );
    if (!isSame) return undefined;
    const policy = { ...body.policy, environment };
    const { ready, projectRoot, looks, real } = body;
    if (ready !== null) {
      recalled.set(policy, { ...ready, filter: new Uint8Array(ready.filter) });
    }
    return { policy, projectRoot, looks: { list: looks, real, latest: 0 } };
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

/** How a remembered policy is enforced without a supervisor; undefined when that has to be planned. */
export function readyEnforcement(
  policy: SandboxPolicy,
): ReadyEnforcement | undefined {
  return recalled.get(policy);
}

/** Lets a policy be kept by {@link rememberPolicy}. */
export function offerMemo(
  made: MadePolicy,
  looks: Recorded,
  place: MemoPlace & { readonly key: MemoKey },
): void {
  const now = place.now ?? epochMs() * 1000;
  if (looks.latest > now - SETTLED) return;
  offered.set(made.policy, (ready) => write(made, looks, { ...place, ready }));
}

/** Keeps a policy that was made anew for later launches, where that can be written. Nothing for one that was remembered. */
export function rememberPolicy(
  policy: SandboxPolicy,
  ready?: ReadyEnforcement,
): void {
  try {
    offered.get(policy)?.(ready);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
  }
}

function write(
  { policy, projectRoot }: MadePolicy,
  { list, real }: Recorded,
  { ready, key, dir, runDir }: MemoPlace & {
    readonly key: MemoKey;
    readonly ready: ReadyEnforcement | undefined;
  },
): void {
  const { environment: _, ...rest } = policy;
  const body: Body = {
    ...{ looks: list, real, policy: rest, projectRoot },
    ready: ready === undefined ? null : { ...ready, filter: [...ready.filter] },
  };
  const text = JSON.stringify(body);
  const realRun = realRunDir(policy, runDir);
  const kept = text.replaceAll(inJson(realRun), REAL)
    .replaceAll(inJson(runDir), NAMED);
  const process = `/proc/${basename(runDir).split("-")[0]}`;
  const own = [basename(runDir), `${process}/`, `${process}"`];
  const isPlain = !text.includes(NAMED) && !text.includes(REAL);
  // What belongs to this launch in any other place is not understood.
  if (!isPlain || own.some((part) => (key.text + kept).includes(part))) return;
  ensureDir(dir);
  const old = readDir(dir) ?? [];
  if (old.length >= MAX_MEMOS) {
    for (const { name } of old) removeFile(join(dir, name));
  }
  const temp = join(dir, tempName());
  // No wait for the disk: a damaged file is told by its syntax.
  writeNew(temp, [key.text, JSON.stringify(parent(realRun)), kept].join("\n"));
  rename(temp, key.path);
}

/** Where the run directory will really lie; where the policy does not name it, as it is named. */
function realRunDir({ tmpDir }: SandboxPolicy, runDir: AbsPath): AbsPath {
  return basename(parent(tmpDir)) === basename(runDir)
    ? parent(tmpDir)
    : runDir;
}

function readBody(
  { dir, runDir, kernel: { uid } }: MemoPlace,
  key: MemoKey,
): Body | undefined {
  const bytes = readPrivate(key.path, {
    uid,
    maxBytes: MAX_BYTES,
    refused: REFUSED.all,
  });
  if (bytes === undefined) return undefined;
  requirePrivateDir(dir, uid);
  const [known, runs, text] = new TextDecoder().decode(bytes).split("\n");
  if (known !== key.text || runs === undefined || text === undefined) {
    return undefined;
  }
  const real = join(JSON.parse(runs) as AbsPath, basename(runDir));
  const body = text.replaceAll(REAL, inJson(real))
    .replaceAll(NAMED, inJson(runDir));
  return JSON.parse(body) as Body;
}

/** A name for a memo. One of another key with the same name is told by its first line. */
function shortSum(text: string): string {
  let [a, b] = [0x811c9dc5, 0x1000193];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b + code, 0x85ebca6b) ^ (a >>> 7);
  }
  const parts = [a, b].map((n) => (n >>> 0).toString(16).padStart(8, "0"));
  return parts.join("") + ".json";
}

/** A path as it stands inside a JSON text. */
function inJson(path: AbsPath): string {
  return JSON.stringify(path).slice(1, -1);
}

function isDamage(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof TypeError ||
    (error instanceof AppError && error.code === "IO");
}
