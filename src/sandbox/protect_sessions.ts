/**
 * Launches that have begun in a project and not ended: one small file for each, which is held by a lock as long as somebody
 * sees to its end. A file that nobody holds, of a process that is gone, is a session whose end nobody saw.
 */
import { type AbsPath, join } from "../base/paths.ts";
import {
  chmod,
  ensureDir,
  lstat,
  readDir,
  removeFile,
  writeNew,
} from "../os/fs.ts";
import { holdFile, makeHeld } from "../os/held_file.ts";
import { isAlive as isHeld } from "../os/lock.ts";
import { markOf } from "../os/marks.ts";
import { processStart } from "../os/process.ts";
import { projectKey, type ProtectPlace } from "./protect_store.ts";

/** A launch that was written down. */
export interface Session {
  /** `<pid>-<start>`. */
  readonly name: string;
  readonly path: AbsPath;
  /** When it began, by the clock of the kernel: microseconds since the epoch. */
  readonly since: number;
  /** Whether its first process has ended and others go on: that may take long. */
  readonly goesOn: boolean;
}

/** The mode of the file of a session that goes on without its first process. */
const GOES_ON = 0o400;

/** A launch that was written down, and whose end somebody has to see to. */
export interface BegunSession {
  readonly place: ProtectPlace;
  /** `<pid>-<start>`. */
  readonly name: string;
  /** The descriptor that holds it. */
  readonly held: number | undefined;
  /** What sees what is made and taken away in these directories. */
  readonly seen: SeenDirs | undefined;
}

/** See `os/dir_watch.ts`. */
export interface SeenDirs {
  readonly fd: number;
  readonly dirs: readonly AbsPath[];
}

/** The name of a launch in a record. */
export function sessionName(pid: number): string {
  return `${pid}-${processStart(pid) ?? "unknown"}`;
}

/** Where launches are written down. */
export function sessionsDir({ dir }: Pick<ProtectPlace, "dir">): AbsPath {
  return join(dir, "sessions");
}

/** The launches in a project that have not ended, or that nobody saw end. */
export function sessionsOf(place: ProtectPlace): Session[] {
  const dir = sessionsDir(place);
  const prefix = projectKey(place) + ".";
  return (readDir(dir) ?? []).flatMap(({ name }) => {
    if (!name.startsWith(prefix)) return [];
    const path = join(dir, name);
    const mark = markOf(path);
    return mark === undefined ? [] : [{
      ...{ name: name.slice(prefix.length), path, since: mark.mtime },
      goesOn: mark.mode === GOES_ON,
    }];
  });
}

/** Whether what was launched may still do something, or somebody sees to its end. */
export function isRunning({ name, path }: Session): boolean {
  return isAlive(name) || isHeld(path);
}

/** Whether the process of a launch lives. */
export function isAlive(name: string): boolean {
  const [pid, start] = name.split("-");
  return processStart(Number(pid)) === start;
}

/** A launch that was just written down. */
export interface OpenedSession {
  /** The descriptor that holds it; undefined where the system has none that do. */
  readonly held: number | undefined;
  /** Whether it is the only one in the project; undefined when that was not looked at. */
  readonly isAlone: boolean | undefined;
  /** What stands in the file at `looks`; undefined when it was not read. */
  readonly looks: Uint8Array<ArrayBuffer> | undefined;
}

const MAX_LOOKS = 256 * 1024;

/** Writes a launch down, and looks at what a launch looks at where everything is as it was. */
export function openSession(
  place: ProtectPlace,
  name: string,
  looks: AbsPath,
): OpenedSession {
  const [dir, prefix] = [sessionsDir(place), projectKey(place) + "."];
  const file = { dir, name: prefix + name };
  const quick = holdFile({ ...file, reads: looks, maxBytes: MAX_LOOKS });
  if (quick !== undefined) {
    const own = quick.names?.filter((each) => each.startsWith(prefix));
    const isAlone = own && own.length === 1;
    return { held: quick.fd, isAlone, looks: quick.bytes };
  }
  ensureDir(dir);
  // One of a process that had the same name is gone with it.
  removeFile(join(dir, file.name));
  const held = makeHeld(dir, file.name);
  if (held === undefined) writeNew(join(dir, file.name), "");
  return { held, isAlone: undefined, looks: undefined };
}

/** Writes down that a launch goes on without its first process. */
export function noteGoingOn(place: ProtectPlace, name: string): void {
  const path = sessionPath(place, name);
  // It is gone with its env.
  if (lstat(path) !== undefined) chmod(path, GOES_ON);
}

/** Forgets a launch. */
export function closeSession(place: ProtectPlace, name: string): void {
  removeFile(sessionPath(place, name));
}

function sessionPath(place: ProtectPlace, name: string): AbsPath {
  return join(sessionsDir(place), `${projectKey(place)}.${name}`);
}
