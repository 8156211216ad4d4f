/**
 * Launches that have begun in a project and not ended: one small file for each, which is held by a lock as long as somebody
 * sees to its end. A file that nobody holds, of a process that is gone, is a session whose end nobody saw.
 */
import { type AbsPath, join } from "../base/paths.ts";
import { chmod, lstat, readDir, removeFile } from "../os/fs.ts";
import { isAlive as isHeld } from "../os/lock.ts";
import { markOf } from "../os/marks.ts";
import { processStart } from "../os/process.ts";
import { sessionsDir } from "./protect_open.ts";
import { projectKey, type ProtectPlace } from "./protect_place.ts";

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
const GOES_ON = 0o700;

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
