/** Files that only this user may have written. */
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import { lstat, type Stat } from "./fs.ts";
import { ifExists } from "./io_error.ts";

/** How a file is read. */
export interface PrivateOptions {
  /** Our user id; undefined on Windows. */
  readonly uid: number | undefined;
  readonly maxBytes: number;
  /** Permission bits that it may not have. */
  readonly refused: number;
}

const OTHERS = 0o077;
/** Whoever replaces it so often while it is read wants to keep us busy. */
const MAX_TRIES = 20;
/** Bits of {@link PrivateOptions.refused}: nobody else may read or write, or nobody else may write. */
export const REFUSED = { all: OTHERS, writing: 0o022 } as const;

/**
 * The bytes of a regular file of this user that is reached through no link at its end; undefined when there is none.
 * Throws `IO` when it is anything else, or others may use it.
 */
export function readPrivate(
  path: string,
  options: PrivateOptions,
): Uint8Array<ArrayBuffer> | undefined {
  for (let tries = 1;; tries++) {
    const seen = lstat(path);
    if (seen === undefined) return undefined;
    check(path, seen, options);
    const read = readSeen(path, seen, options);
    if (read !== "replaced") return read;
    if (tries === MAX_TRIES) {
      throw refusal(path, "it was replaced while it was read");
    }
  }
}

/** The bytes of the file that was looked at. Whoever writes it puts another one in its place, and so may one who plants a link. */
function readSeen(
  path: string,
  seen: Stat,
  { maxBytes }: PrivateOptions,
): Uint8Array<ArrayBuffer> | undefined | "replaced" {
  return ifExists("read", path, () => {
    using file = Deno.openSync(path);
    const info = file.statSync();
    const isSame = (info.dev ?? 0) === seen.dev && (info.ino ?? 0) === seen.ino;
    if (!isSame) return "replaced";
    const bytes = new Uint8Array(maxBytes + 1);
    let done = 0;
    while (done < bytes.length) {
      const count = file.readSync(bytes.subarray(done));
      if (count === null) return bytes.slice(0, done);
      done += count;
    }
    throw refusal(path, `it has more than ${maxBytes} bytes`);
  });
}

/** Refuses a directory that is a link, or that others can write. Throws `IO`. */
export function requirePrivateDir(
  path: string,
  uid: number | undefined,
): void {
  const info = lstat(path);
  if (info?.kind !== "directory") throw refusal(path, "it is no directory");
  checkOwner(path, info, { uid, refused: REFUSED.writing });
}

function check(path: string, info: Stat, options: PrivateOptions): void {
  if (info.kind !== "file") throw refusal(path, "it is not a regular file");
  checkOwner(path, info, options);
}

function checkOwner(
  path: string,
  info: Stat,
  { uid, refused }: Pick<PrivateOptions, "uid" | "refused">,
): void {
  if (uid === undefined) return;
  if (info.uid !== uid) throw refusal(path, "it belongs to another user");
  if ((info.mode & refused) === 0) return;
  const who = refused === OTHERS ? "others may use it" : "others may write it";
  throw refusal(path, who, `Close it: chmod go-rwx ${path}`);
}

function refusal(path: string, state: string, hint?: string): AppError {
  return new AppError("IO", `Cannot use ${quote(path)}: ${state}`, { hint });
}
