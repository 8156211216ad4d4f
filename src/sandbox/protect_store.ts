/**
 * What is known of protected files from one launch to the next. One directory for each env, outside of what the agent can
 * reach:
 *
 * ```
 * protect/lock                      flock: held while a record changes
 * protect/<project>.json            one project: what its protected paths held, what changed
 * protect/<project>.looks           how they looked then, for a quick comparison; see protect_looks.ts
 * protect/sessions/<project>.<pid>-<start>   a launch that has begun and not ended; see protect_sessions.ts
 * protect/blobs/<sha256>            contents of files, for taking a change back
 * protect/quarantine/<id>/          what was taken back, numbered, with index.json
 * ```
 */
import { AppError, ExitCode } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { epochMs } from "../os/clock.ts";
import {
  ensureDir,
  lstat,
  readDir,
  readText,
  removeFile,
  rename,
  tempName,
  writeNew,
} from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import { withLock } from "../os/lock.ts";
import { projectKey, type ProtectPlace } from "./protect_place.ts";
import { CLOCK_LAG_MS, type Snapshot, type Watched } from "./protect.ts";

/** What is written down about one project. */
export interface ProtectRecord {
  readonly version: 2;
  readonly project: AbsPath;
  readonly watched: readonly Watched[];
  readonly baseline: Snapshot;
  /** What is deeper in the project and was changed earlier is nobody's concern; microseconds since the epoch. */
  readonly since: number;
  /** Whether a change was found that nobody has accepted or taken back. */
  readonly pending: boolean;
  /** Configurations of git that are deeper in the project, as they were when somebody last looked. */
  readonly nested?: Snapshot;
  /** What sessions that have ended changed and put back; told once. */
  readonly touched: readonly AbsPath[];
  /** Launches of a version that wrote them here: `<pid>-<start>`. */
  readonly sessions?: readonly string[];
}

export { projectKey, type ProtectPlace };

const MAX_RECORD = 64 * 1024 * 1024;
const SUFFIX = ".json";

/** Where the record of a project is. */
export function recordPath(place: ProtectPlace): AbsPath {
  return join(place.dir, projectKey(place) + SUFFIX);
}

/** Where earlier versions had it. */
function formerPath({ dir, project }: ProtectPlace): AbsPath {
  return join(dir, sha256Hex(project).slice(0, 16) + SUFFIX);
}

/** The record of a project; undefined when there is none. Throws `ENV_BROKEN` (exit 3). */
export function readRecord(place: ProtectPlace): ProtectRecord | undefined {
  return parseRecord(recordPath(place)) ?? parseRecord(formerPath(place));
}

/** All records of an env. Throws `ENV_BROKEN` (exit 3). */
export function readRecords(dir: AbsPath): ProtectRecord[] {
  return (readDir(dir) ?? []).filter(({ name }) => name.endsWith(SUFFIX))
    .flatMap(({ name }) => parseRecord(join(dir, name)) ?? []);
}

/** Replaces the record. */
export function writeRecord(place: ProtectPlace, record: ProtectRecord): void {
  writeQuick(recordPath(place), JSON.stringify(record) + "\n");
  removeFile(formerPath(place));
}

/** Without a wait for the disk: this is done at launches, and after a power cut a damaged file is told by its hash or its syntax. */
export function writeQuick(path: AbsPath, data: string | Uint8Array): void {
  const temp = join(path, "..", tempName());
  writeNew(temp, data);
  rename(temp, path);
}

/** Runs `work` while nobody else changes records of the env. */
export async function locked<T>(
  { dir }: Pick<ProtectPlace, "dir">,
  work: () => T,
): Promise<T> {
  return await withLock(join(dir, "lock"), work);
}

/** The kept contents of a file; undefined when it was too large to keep. What it holds may have been damaged since. */
export function blobAt(
  dir: AbsPath,
  hash: string | undefined,
): AbsPath | undefined {
  if (hash === undefined || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
  const path = join(dir, "blobs", hash);
  return lstat(path)?.kind === "file" ? path : undefined;
}

/** Keeps contents of files for taking changes back. */
export function keeper({ dir }: Pick<ProtectPlace, "dir">) {
  return (hash: string, bytes: Uint8Array<ArrayBuffer>): void => {
    const path = join(dir, "blobs", hash);
    if (lstat(path) !== undefined) return;
    ensureDir(join(dir, "blobs"));
    writeQuick(path, bytes);
  };
}

/** Microseconds since the epoch that no change from now on has an earlier time than. */
export function timeNow(): number {
  return (epochMs() - CLOCK_LAG_MS) * 1000;
}

function parseRecord(path: AbsPath): ProtectRecord | undefined {
  const text = readText(path, MAX_RECORD);
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Omit<ProtectRecord, "version"> & {
      readonly version: number;
    };
    if (typeof value.project !== "string") throw new SyntaxError();
    if (value.version === 2) return { ...value, version: 2 };
    if (value.version === 1) {
      return { ...value, version: 2, touched: [] };
    }
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
