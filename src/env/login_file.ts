/** Moving the credentials file: there is one of it, before and after, and whoever is killed leaves it. */
import { claude } from "../agents/mod.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, join, parent } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { readForeign } from "../os/foreign_file.ts";
import {
  lstat,
  randomHex,
  readDir,
  removeFile,
  rename,
  syncDir,
  writeSynced,
} from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import { moveWithinDevice } from "../os/move_file.ts";

const MAX_BYTES = 16 * 1024 * 1024;

/** Copies that a killed move left begin so. */
const COPY = `${claude.CREDENTIALS_FILE}.tmp.aenv`;

/** A move, and what its journal knows of an earlier try. */
export interface CredentialsMove {
  readonly from: AbsPath;
  readonly to: AbsPath;
  /** Hash of what an earlier try was copying. */
  readonly copied: string | null;
  /** Written down before a second file appears. */
  journal(copied: string | null): void;
}

/**
 * Moves the file by a rename, or to another file system by copy and removal. What an earlier try left is settled first.
 * Nothing to do where only `to` is there. Throws `LOGIN_INVALID` when two different logins are there, `IO`.
 */
export function moveCredentials(move: CredentialsMove): void {
  const { from, to } = move;
  for (const { name } of readDir(parent(to)) ?? []) {
    if (name.startsWith(COPY)) removeFile(join(parent(to), name));
  }
  if (lstat(from) === undefined) return;
  requireFile(from);
  if (lstat(to) !== undefined && !settle(move)) return;
  if (!moveWithinDevice(from, to)) moveByCopy(move);
  syncDir(parent(to));
  syncDir(parent(from));
}

function requireFile(path: AbsPath): void {
  if (lstat(path)?.kind === "file") return;
  throw new AppError(
    "LOGIN_INVALID",
    `Cannot move ${quote(path)}: it is not a regular file`,
    { hint: "Put the file itself there; a refresh would replace a link" },
  );
}

/** Two files: of an unfinished copy the one that was renewed since stays. Returns whether `from` still has to be moved. */
function settle({ from, to, copied, journal }: CredentialsMove): boolean {
  const [old, other] = [from, to].map((path) => sha256Hex(bytesAt(path)));
  if (copied !== null && old === copied) {
    removeFile(from);
    journal(null);
    return false;
  }
  if (copied !== null && other === copied) {
    removeFile(to);
    return true;
  }
  throw new AppError(
    "LOGIN_INVALID",
    `Cannot move ${quote(from)}: there is another login at ${quote(to)}`,
    { hint: "Remove the one that you do not want, and try again" },
  );
}

/** An agent may write there: what takes the file's place meanwhile is neither followed nor waited for. */
function bytesAt(path: AbsPath): Uint8Array<ArrayBuffer> {
  const bytes = readForeign(path, { maxBytes: MAX_BYTES });
  if (bytes !== undefined) return bytes;
  throw new AppError(
    "IO",
    `Cannot read ${quote(path)}: it was taken away while it was moved`,
  );
}

function moveByCopy({ from, to, journal }: CredentialsMove): void {
  const bytes = bytesAt(from);
  journal(sha256Hex(bytes));
  const copy = join(parent(to), COPY + randomHex(8));
  writeSynced(copy, bytes);
  if (sha256Hex(bytesAt(copy)) !== sha256Hex(bytes)) {
    removeFile(copy);
    throw new AppError(
      "IO",
      `Cannot copy ${quote(from)}: what was written reads otherwise`,
    );
  }
  rename(copy, to);
  syncDir(parent(to));
  try {
    removeFile(from);
  } catch (error) {
    // One login in two places would be renewed twice, and then neither is valid.
    removeFile(to);
    throw error;
  }
  journal(null);
}
