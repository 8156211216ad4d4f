/**
 * What is known of protected files from one launch to the next. One directory for each env, outside of what the agent can
 * reach:
 *
 * ```
 * protect/lock                 flock
 * protect/<project>.json       one project: what its protected paths held, who runs there, what changed
 * protect/blobs/<sha256>       contents of files, for taking a change back
 * protect/quarantine/<id>/     what was taken back, numbered, with index.json
 * ```
 */
import { AppError, ExitCode } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import {
  ensureDir,
  lstat,
  readDir,
  readText,
  rename,
  tempName,
  writeNew,
} from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import { withLock } from "../os/lock.ts";
import { epochMs } from "../os/clock.ts";
import { processStart } from "../os/process.ts";
import {
  type Change,
  compareSnapshots,
  type Snapshot,
  takeSnapshot,
  type Watched,
} from "./protect.ts";
import { nestedChanges } from "./protect_nested.ts";
import type { ProtectedPath } from "./types.ts";

/** What is written down about one project. */
interface ProtectRecord {
  readonly version: 1;
  readonly project: AbsPath;
  readonly watched: readonly Watched[];
  readonly baseline: Snapshot;
  /** When {@link ProtectRecord.baseline} was taken, microseconds since the epoch. */
  readonly since: number;
  /** Launches that have begun and not ended: `<pid>-<start>`. */
  readonly sessions: readonly string[];
  /** Whether a change was found that nobody has accepted or taken back. */
  readonly pending: boolean;
}

/** A project's protected files and what has changed in them since they were last accepted. */
export interface ProtectState {
  readonly project: AbsPath;
  readonly changes: readonly Change[];
  /** Launches that run there now. */
  readonly running: number;
}

/** Which project, and in which directory its record lies. */
export interface ProtectPlace {
  /** `protect/` of the env's slot. */
  readonly dir: AbsPath;
  /** Root of the project. */
  readonly project: AbsPath;
}

/** The name of a launch in a record. */
export function sessionName(pid: number): string {
  return `${pid}-${processStart(pid) ?? "unknown"}`;
}

/**
 * Before a launch: returns what has changed behind a session that did not end here, or that nobody has looked at; the launch
 * must not go on then. Else the protected paths are as they should be from now on, and the session is written down.
 */
export async function beginProtected(
  place: ProtectPlace,
  paths: readonly ProtectedPath[],
  session: string,
): Promise<readonly Change[]> {
  return await locked(place, () => {
    const record = readRecord(place);
    const running = (record?.sessions ?? []).filter(isAlive);
    const watched = mergeWatched(
      running.length > 0 ? record!.watched : [],
      paths.map(({ path, tree, why }) => ({ path, tree, why: why.text })),
    );
    if (
      record !== undefined && (record.pending || record.sessions.length > 0)
    ) {
      // What a session beside this one makes deeper in the project is shown when that one ends.
      const changes = running.length > 0 && !record.pending
        ? comparedChanges(record)
        : changesOf(record);
      if (changes.length > 0) {
        writeRecord(place, { ...record, sessions: running, pending: true });
        return changes;
      }
    }
    const now = takeSnapshot(watched, record?.baseline, keeper(place));
    writeRecord(place, {
      version: 1,
      project: place.project,
      watched,
      baseline: now,
      since: running.length > 0 ? record!.since : timeNow(),
      sessions: [...running, session],
      pending: false,
    });
    return [];
  });
}

/** After a launch: what has changed. The record stays until the change is accepted or taken back. */
export async function endProtected(
  place: ProtectPlace,
  session: string,
): Promise<readonly Change[]> {
  return await withChanges(place, (record, changes) => ({
    ...record,
    sessions: record.sessions.filter((name) => name !== session),
    pending: changes.length > 0,
  }));
}

/**
 * Before somebody outside changes protected files: looks at what sessions that have ended left, so that what is changed from
 * now on is not taken for theirs.
 */
export async function settleEnded(dir: AbsPath): Promise<void> {
  for (const { name } of readDir(dir) ?? []) {
    if (!name.endsWith(".json")) continue;
    const record = parseRecord(join(dir, name));
    if (record === undefined || record.sessions.length === 0) continue;
    if (record.sessions.some(isAlive)) continue;
    await withChanges({ dir, project: record.project }, (read, changes) => ({
      ...read,
      pending: changes.length > 0,
    }));
  }
}

/** Takes what is there now for right. Returns what had changed. */
export async function acceptChanges(
  place: ProtectPlace,
): Promise<readonly Change[]> {
  return await withChanges(place, (record) => ({
    ...record,
    baseline: takeSnapshot(record.watched, record.baseline, keeper(place)),
    since: timeNow(),
    pending: false,
  }));
}

/** Writes what `next` makes of the record, dead sessions left out, and returns the changes. */
async function withChanges(
  place: ProtectPlace,
  next: (record: ProtectRecord, changes: readonly Change[]) => ProtectRecord,
): Promise<readonly Change[]> {
  return await locked(place, () => {
    const record = readRecord(place);
    if (record === undefined) return [];
    const changes = changesOf(record);
    const result = next(record, changes);
    const sessions = result.sessions.filter(isAlive);
    writeRecord(place, { ...result, sessions });
    return changes;
  });
}

/** Every project of the env with its changes. Projects without any are left out unless they have just been asked for. */
export function protectStates(dir: AbsPath): ProtectState[] {
  return (readDir(dir) ?? []).filter(({ name }) => name.endsWith(".json"))
    .flatMap(({ name }) => {
      const record = parseRecord(join(dir, name));
      return record === undefined ? [] : [stateOf(record)];
    });
}

function stateOf(record: ProtectRecord): ProtectState {
  const running = record.sessions.filter(isAlive).length;
  const isOpen = record.pending || record.sessions.length > 0;
  return {
    project: record.project,
    // Between sessions the user may change what they like.
    changes: isOpen ? changesOf(record) : [],
    running,
  };
}

/** Runs `work` with the changes of a project where no agent runs, and takes what is there afterwards for right. Throws `ENV_BUSY`. */
export async function settleChanges<T>(
  place: ProtectPlace,
  work: (changes: readonly Change[]) => T,
): Promise<T | undefined> {
  return await locked(place, () => {
    const record = readRecord(place);
    if (record === undefined) return undefined;
    if (record.sessions.some(isAlive)) {
      throw new AppError(
        "ENV_BUSY",
        `Cannot take changes in ${
          quote(place.project)
        } back: an agent runs there`,
        { hint: "End it first: aenv ps" },
      );
    }
    const result = work(changesOf(record));
    const after = { ...record, sessions: [], pending: false };
    const left = changesOf(after);
    writeRecord(place, { ...after, pending: left.length > 0 });
    return result;
  });
}

/** The kept contents of a file; undefined when it was too large to keep, or is not what it was. */
export function blobAt(
  dir: AbsPath,
  hash: string | undefined,
): AbsPath | undefined {
  if (hash === undefined || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
  const path = join(dir, "blobs", hash);
  return lstat(path)?.kind === "file" ? path : undefined;
}

function keeper({ dir }: ProtectPlace) {
  return (hash: string, bytes: Uint8Array<ArrayBuffer>): void => {
    const path = join(dir, "blobs", hash);
    if (lstat(path) !== undefined) return;
    ensureDir(join(dir, "blobs"));
    writeQuick(path, bytes);
  };
}

function changesOf(record: ProtectRecord): Change[] {
  return [...comparedChanges(record), ...nestedChanges(record)];
}

function comparedChanges({ watched, baseline }: ProtectRecord): Change[] {
  return compareSnapshots(baseline, takeSnapshot(watched, baseline), watched);
}

/** The kernel takes the time of a change from a clock that may be some milliseconds late. */
const CLOCK_LAG_MS = 20;

function timeNow(): number {
  return (epochMs() - CLOCK_LAG_MS) * 1000;
}

function mergeWatched(
  before: readonly Watched[],
  more: readonly Watched[],
): Watched[] {
  const byPath = new Map(before.map((entry) => [entry.path, entry]));
  for (const entry of more) {
    byPath.set(entry.path, {
      ...entry,
      tree: entry.tree || (byPath.get(entry.path)?.tree ?? false),
    });
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function locked<T>(place: ProtectPlace, work: () => T): Promise<T> {
  return await withLock(join(place.dir, "lock"), work);
}

function isAlive(session: string): boolean {
  const [pid, start] = session.split("-");
  return processStart(Number(pid)) === start;
}

function recordPath({ dir, project }: ProtectPlace): AbsPath {
  return join(dir, `${sha256Hex(project).slice(0, 16)}.json`);
}

function readRecord(place: ProtectPlace): ProtectRecord | undefined {
  return parseRecord(recordPath(place));
}

function writeRecord(place: ProtectPlace, record: ProtectRecord): void {
  writeQuick(recordPath(place), JSON.stringify(record) + "\n");
}

/** Without a wait for the disk: this is done at every launch, and after a power cut a damaged file is told by its hash or its syntax. */
function writeQuick(path: AbsPath, data: string | Uint8Array): void {
  const temp = join(path, "..", tempName());
  writeNew(temp, data);
  rename(temp, path);
}

function parseRecord(path: AbsPath): ProtectRecord | undefined {
  const text = readText(path, 64 * 1024 * 1024);
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as ProtectRecord;
    if (value.version === 1 && typeof value.project === "string") return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  // What was protected is not known any more: not the moment to go on as if nothing had changed.
  throw new AppError(
    "ENV_BROKEN",
    `Cannot read ${quote(path)}: it is not what aenv wrote`,
    {
      hint: `Look at the project's protected files, then remove ${path}`,
      exitCode: ExitCode.refused,
    },
  );
}
