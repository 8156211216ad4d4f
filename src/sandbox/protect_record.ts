/** Protected files from one launch to the next: what was changed since they were last as they should be, and who saw to it. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { readSeen } from "../os/dir_watch.ts";
import { readBytes, removeFile } from "../os/fs.ts";
import { sleep } from "../os/process.ts";
import { isIn } from "./path_text.ts";
import {
  type Change,
  compareSnapshots,
  type Snapshot,
  takeSnapshot,
  touchedBetween,
  type Watched,
} from "./protect.ts";
import { concerning } from "./protect_harmless.ts";
import type { Found } from "./protect_looks.ts";
import { rememberLooks } from "./protect_looks_make.ts";
import { lookForNested, type Nested } from "./protect_nested.ts";
import type { BegunSession } from "./protect_open.ts";
import {
  isAlive,
  isRunning,
  type Session,
  sessionsOf,
} from "./protect_sessions.ts";
import {
  blobAt,
  keeper,
  locked,
  type ProtectPlace,
  type ProtectRecord,
  readRecord,
  readRecords,
  timeNow,
  writeRecord,
} from "./protect_store.ts";

/** A project's protected files and what has changed in them since they were last accepted. */
export interface ProtectState {
  readonly project: AbsPath;
  readonly changes: readonly Change[];
  /** Launches that run there now. */
  readonly running: number;
}

/** What a session did to protected files. */
export interface Ended {
  readonly changes: readonly Change[];
  /** What it changed and put back. */
  readonly touched: readonly AbsPath[];
  /** Whether more was made and taken away than could be seen. */
  readonly isPartial: boolean;
}

/** Sessions begin beside this: so often what they may have changed is looked at anew. */
const MAX_TRIES = 5;

/**
 * A beginning where not everything is as it was. What is there now is right from now on, unless something has changed behind
 * a session: then nothing is.
 */
export async function beginAnew(
  place: ProtectPlace,
  watched: readonly Watched[],
  name: string,
): Promise<Found> {
  return await locked(place, () => {
    const record = readRecord(place);
    for (let tries = 0;; tries++) {
      const others = sessionsOf(place).filter((other) => other.name !== name);
      const running = others.filter(isRunning);
      const left = others.filter((other) => !running.includes(other));
      const found = record === undefined
        ? { changes: [], touched: [], now: {} }
        : assess(place, record, { running, left });
      if (record !== undefined && found.changes.length > 0) {
        const since = sinceOf(record, left);
        const { sessions: _, ...rest } = record;
        writeRecord(place, { ...rest, since, pending: true });
        forget(left);
        return { changes: found.changes, touched: [], dirs: [] };
      }
      const old = running.length > 0 ? record?.watched ?? [] : [];
      const all = mergeWatched(old, watched);
      const more = all.filter((entry) => !isAmong(entry, old));
      const baseline = {
        ...(running.length > 0 ? found.now : {}),
        ...takeSnapshot(more, found.now, keeper(place)),
      };
      // One that began meanwhile may have changed what was just looked at.
      const isAlone = sessionsOf(place).every((other) =>
        other.name === name || others.some((known) => known.name === other.name)
      );
      if (!isAlone && tries < MAX_TRIES) continue;
      const next: ProtectRecord = {
        version: 2,
        project: place.project,
        watched: all,
        baseline,
        since: running.length > 0 ? record?.since ?? timeNow() : timeNow(),
        pending: false,
        touched: [],
        nested: record?.nested ?? configsIn(place, all),
      };
      writeRecord(place, next);
      forget(left);
      return {
        changes: [],
        touched: found.touched,
        dirs: rememberLooks(place, next),
      };
    }
  });
}

/** What changed behind sessions before one begins. Between sessions the user may change what they like. */
function assess(
  place: ProtectPlace,
  record: ProtectRecord,
  { running, left }: {
    readonly running: readonly Session[];
    /** Nobody saw how these ended. */
    readonly left: readonly Session[];
  },
): { changes: Change[]; touched: readonly AbsPath[]; now: Snapshot } {
  const now = takeSnapshot(record.watched, record.baseline, keeper(place));
  const former = record.sessions ?? [];
  const isOpen = record.pending || left.length > 0 || former.length > 0;
  if (!isOpen && running.length === 0) {
    return { changes: [], touched: record.touched, now };
  }
  // What a session beside this one makes deeper in the project is shown when that one ends.
  const nested = isOpen ? nestedIn(record, sinceOf(record, left)).changes : [];
  const changes = concern(place, record, { now, nested });
  return { changes, touched: record.touched, now };
}

/** After a launch: what has changed. The record stays until the change is accepted or taken back. */
export async function endProtected(
  { place, name, seen }: BegunSession,
): Promise<Ended> {
  const find = () => sessionsOf(place).find((session) => session.name === name);
  const nothing = { changes: [], touched: [], isPartial: false };
  // The env may be gone by now; making the lock would bring a part of it back.
  if (find() === undefined) return nothing;
  return await locked(place, () => {
    const record = readRecord(place);
    const own = find();
    // Somebody has taken it for one whose end nobody sees.
    if (record === undefined || own === undefined) return nothing;
    const since = sinceOf(record, [own]);
    const now = takeSnapshot(record.watched, record.baseline);
    const deeper = nestedIn(record, since);
    const changes = concern(place, record, { now, nested: deeper.changes });
    const saw = seen === undefined ? undefined : readSeen(seen.fd);
    const names = (saw?.seen ?? []).flatMap(({ dir, name }) =>
      seen!.dirs[dir] === undefined ? [] : [join(seen!.dirs[dir], name)]
    );
    const touched = touchedBeside(record, { now, names, changes });
    const isPending = changes.length > 0;
    const nested = isPending
      ? record.nested
      : snapshotOf(place, record, deeper);
    const isNew = JSON.stringify(nested) !== JSON.stringify(record.nested);
    if (isPending || record.pending || touched.length > 0 || isNew) {
      const all = [...new Set([...record.touched, ...touched])].sort();
      writeRecord(place, {
        ...record,
        ...{ since: isPending ? since : record.since, pending: isPending },
        touched: all,
        ...(nested ? { nested } : {}),
      });
    }
    forget([own]);
    return { changes, touched, isPartial: saw?.isPartial ?? false };
  });
}

/** Protected paths that were changed and are as they were, or of which a part is. */
function touchedBeside(
  { watched, baseline }: ProtectRecord,
  { now, names, changes }: {
    readonly now: Snapshot;
    /** What was seen to be made or taken away. */
    readonly names: readonly AbsPath[];
    readonly changes: readonly Change[];
  },
): AbsPath[] {
  const differs = new Set(
    compareSnapshots(baseline, now, watched).map(({ path }) => path),
  );
  const seen = names.filter((name) =>
    watched.some(({ path }) => isIn(path, name)) &&
    !changes.some(({ path }) => isIn(path, name)) &&
    ![...differs].some((path) => isIn(path, name))
  );
  return [...new Set([...touchedBetween(baseline, now), ...seen])].sort();
}

/**
 * Before somebody outside changes protected files: looks at what sessions that have ended left, so that what is changed from
 * now on is not taken for theirs.
 */
export async function settleEnded(dir: AbsPath): Promise<void> {
  for (const { project } of readRecords(dir)) {
    const place = { dir, project };
    await untilSeen(place);
    await locked(place, () => {
      const record = readRecord(place);
      if (record === undefined) return;
      const sessions = sessionsOf(place);
      const former = record.sessions ?? [];
      if (sessions.some(isRunning) || former.some(isAlive)) return;
      if (sessions.length === 0 && former.length === 0) return;
      const found = assess(place, record, { running: [], left: sessions });
      const { sessions: _, ...rest } = record;
      writeRecord(place, {
        ...rest,
        since: sinceOf(record, sessions),
        pending: found.changes.length > 0,
      });
      forget(sessions);
    });
  }
}

const PATIENCE_MS = 3000;
const PAUSE_MS = 10;

/** Waits for who sees to the end of sessions that have just ended. */
async function untilSeen(place: ProtectPlace): Promise<void> {
  for (let waited = 0; waited < PATIENCE_MS; waited += PAUSE_MS) {
    const ending = sessionsOf(place).some((session) =>
      !session.goesOn && !isAlive(session.name) && isRunning(session)
    );
    if (!ending) return;
    await sleep(PAUSE_MS);
  }
}

/** Takes what is there now for right. Returns what had changed. */
export async function acceptChanges(
  place: ProtectPlace,
): Promise<readonly Change[]> {
  return await locked(place, () => {
    const record = readRecord(place);
    if (record === undefined) return [];
    const sessions = sessionsOf(place);
    const left = sessions.filter((session) => !isRunning(session));
    const now = takeSnapshot(record.watched, record.baseline, keeper(place));
    const deeper = nestedIn(record, sinceOf(record, sessions));
    const changes = concern(place, record, { now, nested: deeper.changes });
    const { sessions: _, ...rest } = record;
    writeRecord(place, {
      ...rest,
      ...{ baseline: now, since: timeNow(), pending: false },
      nested: snapshotOf(place, record, deeper),
    });
    forget(left);
    return changes;
  });
}

/** Every project of the env with its changes. */
export function protectStates(dir: AbsPath): ProtectState[] {
  return readRecords(dir).map((record) => {
    const place = { dir, project: record.project };
    const sessions = sessionsOf(place);
    const former = record.sessions ?? [];
    const running = sessions.filter(isRunning).length +
      former.filter(isAlive).length;
    // Between sessions the user may change what they like.
    const isOpen = record.pending || sessions.length + former.length > 0;
    if (!isOpen) return { project: record.project, changes: [], running };
    const now = takeSnapshot(record.watched, record.baseline);
    const { changes: nested } = nestedIn(record, sinceOf(record, sessions));
    const changes = concern(place, record, { now, nested });
    return { project: record.project, changes, running };
  });
}

/** Runs `work` with the changes of a project where no agent runs, and takes what is there afterwards for right. Throws `ENV_BUSY`. */
export async function settleChanges<T>(
  place: ProtectPlace,
  work: (changes: readonly Change[]) => T,
): Promise<T | undefined> {
  return await locked(place, () => {
    const record = readRecord(place);
    if (record === undefined) return undefined;
    const sessions = sessionsOf(place);
    if (sessions.some(isRunning) || record.sessions?.some(isAlive)) {
      throw new AppError(
        "ENV_BUSY",
        `Cannot take changes in ${
          quote(place.project)
        } back: an agent runs there`,
        { hint: "End it first: aenv ps" },
      );
    }
    const since = sinceOf(record, sessions);
    const look = () =>
      concern(place, record, {
        now: takeSnapshot(record.watched, record.baseline),
        nested: nestedIn(record, since).changes,
      });
    const result = work(look());
    const { sessions: _, ...rest } = record;
    writeRecord(place, { ...rest, since, pending: look().length > 0 });
    forget(sessions);
    return result;
  });
}

/** The changes that somebody has to look at. */
function concern(
  { dir }: ProtectPlace,
  { watched, baseline }: ProtectRecord,
  { now, nested }: {
    readonly now: Snapshot;
    readonly nested: readonly Change[];
  },
): Change[] {
  const changes = [...compareSnapshots(baseline, now, watched), ...nested];
  return concerning(changes, watched, (hash) => {
    const path = blobAt(dir, hash);
    return path === undefined ? undefined : readBytes(path);
  });
}

function nestedIn(
  { project, watched, nested: known = {} }: ProtectRecord,
  since: number,
): Nested {
  return lookForNested({ project, watched, since, known });
}

function snapshotOf(
  place: ProtectPlace,
  { nested }: Pick<ProtectRecord, "nested">,
  { configs }: Nested,
): Snapshot {
  const watched = configs.map((path) => ({ path, tree: false, why: "" }));
  return takeSnapshot(watched, nested, keeper(place));
}

/** Before the first session in a project. */
function configsIn(
  place: ProtectPlace,
  watched: readonly Watched[],
): Snapshot {
  const query = { project: place.project, watched, since: Infinity };
  return snapshotOf(place, {}, lookForNested(query));
}

/** From when on what is made deeper in the project is the doing of these sessions, or of those that nobody has looked at yet. */
function sinceOf(
  { since, pending, sessions: former }: ProtectRecord,
  sessions: readonly Session[],
): number {
  if (pending || sessions.length === 0 || former?.length) return since;
  return Math.max(since, Math.min(...sessions.map((each) => each.since)));
}

function forget(sessions: readonly Session[]): void {
  for (const { path } of sessions) removeFile(path);
}

function isAmong(entry: Watched, list: readonly Watched[]): boolean {
  const text = JSON.stringify(entry);
  return list.some((other) => JSON.stringify(other) === text);
}

function mergeWatched(
  before: readonly Watched[],
  more: readonly Watched[],
): Watched[] {
  const byPath = new Map(before.map((entry) => [entry.path, entry]));
  for (const entry of more) {
    const old = byPath.get(entry.path);
    // What one of them forbids is forbidden.
    const isStrict = old !== undefined && old.harmless === undefined;
    const { harmless, ...rest } = entry;
    byPath.set(entry.path, {
      ...{ ...rest, tree: entry.tree || (old?.tree ?? false) },
      ...(harmless && !isStrict ? { harmless } : {}),
    });
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
