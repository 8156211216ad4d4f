/** Writing down that a launch begins. */
import { type AbsPath, join } from "../base/paths.ts";
import { ensureDir, removeFile, writeNew } from "../os/fs.ts";
import { holdFile, makeHeld } from "../os/held_file.ts";
import { processStart } from "../os/process.ts";
import { projectKey, type ProtectPlace } from "./protect_place.ts";

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
