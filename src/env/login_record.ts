/** What `migrate-auth` did, written down before it is done: a killed one is finished or taken back by the next. */
import { claude } from "../agents/mod.ts";
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, parseAbsPath } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { readText, removeFile, writeAtomic } from "../os/fs.ts";

/** What was written into the agent's settings. */
export interface SettingsChange {
  /** The file itself, where a link leads to it. */
  readonly path: AbsPath;
  /** Whether there was none before. */
  readonly isNew: boolean;
  /** The text after it, and what was put in where (in characters): without it the text is what it was. */
  readonly sha256: string;
  readonly at: number;
  readonly piece: string;
}

/** The record of a move. */
export interface LoginRecord {
  readonly version: 1;
  /** Where the login was. */
  readonly from: AbsPath;
  /** Hash of the credentials while they are copied to another file system; null while none are. */
  readonly copied: string | null;
  readonly settings: SettingsChange | null;
}

/** The record; undefined when there is none. Throws `LOGIN_INVALID`. */
export function readLoginRecord(dirs: Dirs): LoginRecord | undefined {
  if (readText(dirs.loginRecord) === undefined) return undefined;
  const value = claude.readJsonObject(dirs.loginRecord) ?? {};
  const { version, from, copied, settings } = value;
  const isRight = version === 1 && typeof from === "string" &&
    (copied === null || typeof copied === "string");
  if (isRight) {
    return {
      version,
      from: parseAbsPath(from, dirs.loginRecord),
      copied,
      settings: settings === null ? null : settingsOf(settings, dirs),
    };
  }
  throw broken(dirs);
}

function settingsOf(value: unknown, dirs: Dirs): SettingsChange {
  const { path, isNew, sha256, at, piece } = claude.asRecord(value);
  if (
    typeof path === "string" && typeof isNew === "boolean" &&
    typeof sha256 === "string" && Number.isSafeInteger(at) &&
    typeof piece === "string"
  ) {
    const file = parseAbsPath(path, dirs.loginRecord);
    return { path: file, isNew, sha256, at: at as number, piece };
  }
  throw broken(dirs);
}

function broken({ loginRecord }: Dirs): AppError {
  return new AppError(
    "LOGIN_INVALID",
    `Cannot read ${quote(loginRecord)}: it is not what aenv writes`,
    { hint: `Move it away: mv ${loginRecord} ${loginRecord}.broken` },
  );
}

/** Writes the record, synced. */
export function writeLoginRecord(dirs: Dirs, record: LoginRecord): void {
  writeAtomic(
    dirs.loginRecord,
    JSON.stringify(record, undefined, 2) + "\n",
  );
}

/** Forgets it. */
export function forgetLoginRecord(dirs: Dirs): void {
  removeFile(dirs.loginRecord);
}
