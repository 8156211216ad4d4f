/** Files and directories. Synchronous: asynchronous calls cost about 0.3 ms each under Deno. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { isAbsent } from "./libc.ts";
import { ifExists, osCode, withIo } from "./io_error.ts";
import { noteLook } from "./noted_looks.ts";

/** Mode of every directory we make. */
export const DIR_MODE = 0o700;
/** Mode of every file we make. */
export const FILE_MODE = 0o600;

/** Whether files have permission bits. */
export const HAS_MODES = Deno.build.os !== "windows";

/** What `stat` tells. */
export interface Stat {
  readonly kind: "file" | "directory" | "symlink" | "other";
  /** Bytes. */
  readonly size: number;
  /** Permission bits with set-id and sticky. */
  readonly mode: number;
  readonly uid: number;
  /** Device and inode: the identity of the file; 0 where the system has none. */
  readonly dev: number;
  readonly ino: number;
  /** Modification time, milliseconds since the epoch. */
  readonly mtime: number;
  /** Time of the last change to the file or its attributes, which cannot be set back; 0 on Windows. */
  readonly ctime: number;
}

/** One entry of a directory. */
export interface Entry {
  readonly name: string;
  readonly kind: "file" | "directory" | "symlink" | "other";
}

function toStat(info: Deno.FileInfo): Stat {
  return {
    kind: kindOf(info),
    size: info.size,
    mode: (info.mode ?? 0) & 0o7777,
    uid: info.uid ?? 0,
    dev: info.dev ?? 0,
    ino: info.ino ?? 0,
    mtime: info.mtime?.getTime() ?? 0,
    ctime: info.ctime?.getTime() ?? 0,
  };
}

function kindOf(
  info: { isFile: boolean; isDirectory: boolean; isSymlink: boolean },
): Entry["kind"] {
  if (info.isSymlink) return "symlink";
  if (info.isDirectory) return "directory";
  return info.isFile ? "file" : "other";
}

/** Facts about what `path` leads to; undefined when there is nothing. */
export function stat(path: string): Stat | undefined {
  noteLook(path, "S");
  return lookAt(path);
}

function lookAt(path: string): Stat | undefined {
  if (isAbsent(path, { follow: true })) return undefined;
  return ifExists("look at", path, () => toStat(Deno.statSync(path)));
}

/** Facts about `path` itself; a symbolic link is not followed. */
export function lstat(path: string): Stat | undefined {
  noteLook(path, "K");
  if (isAbsent(path, { follow: false })) return undefined;
  return ifExists("look at", path, () => toStat(Deno.lstatSync(path)));
}

/** Whether a regular file is there (links followed). */
export function isFile(path: string): boolean {
  noteLook(path, "T");
  return lookAt(path)?.kind === "file";
}

/** Whether a directory is there (links followed). */
export function isDirectory(path: string): boolean {
  noteLook(path, "T");
  return lookAt(path)?.kind === "directory";
}

/** The entries of a directory, sorted by name; undefined when there is none. */
export function readDir(path: string): Entry[] | undefined {
  noteLook(path, "S");
  if (isAbsent(path, { follow: true })) return undefined;
  return ifExists("list", path, () => {
    const entries = [...Deno.readDirSync(path)].map((e) => ({
      name: e.name,
      kind: kindOf(e),
    }));
    return entries.sort((
      a,
      b,
    ) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  });
}

/** The text of a regular file of at most `maxBytes`; undefined when there is none. Throws `IO` for directories, devices and invalid UTF-8. */
export function readText(
  path: string,
  maxBytes = 4 * 1024 * 1024,
): string | undefined {
  noteLook(path, "S");
  if (isAbsent(path, { follow: true })) return undefined;
  return ifExists("read", path, () => {
    const info = requireFile(path);
    if (info.size > maxBytes) {
      throw new AppError(
        "IO",
        `Cannot read ${quote(path)}: it has more than ${maxBytes} bytes`,
      );
    }
    return decodeUtf8(Deno.readFileSync(path), path);
  });
}

/** Reading a pipe would wait for who writes into it, and some devices have no end. */
function requireFile(path: string): Deno.FileInfo {
  const info = Deno.statSync(path);
  if (info.isFile) return info;
  const what = info.isDirectory
    ? "it is a directory"
    : "it is not a regular file";
  throw new AppError("IO", `Cannot read ${quote(path)}: ${what}`);
}

/** The text of a file that was found to be a regular one, and not too large, just now. Throws `IO`, also for invalid UTF-8. */
export function readKnownText(path: string): string {
  noteLook(path, "S");
  return withIo("read", path, () => decodeUtf8(Deno.readFileSync(path), path));
}

function decodeUtf8(bytes: Uint8Array<ArrayBuffer>, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new AppError(
      "IO",
      `Cannot read ${quote(path)}: it is not UTF-8 text`,
      { cause: error },
    );
  }
}

/** The bytes of a regular file; undefined when there is none. */
export function readBytes(path: string): Uint8Array<ArrayBuffer> | undefined {
  noteLook(path, "S");
  if (isAbsent(path, { follow: true })) return undefined;
  return ifExists("read", path, () => {
    requireFile(path);
    return Deno.readFileSync(path);
  });
}

/** Makes `path` and missing parents, each with mode 0700 whatever the umask. Existing ones are left as they are. */
export function ensureDir(path: AbsPath): void {
  const found = stat(path);
  if (found?.kind === "directory") return;
  const parent = join(path, "..");
  if (!found && parent !== path) ensureDir(parent);
  // Not made: another process was faster, or a link that leads nowhere is there.
  if (found || (!makeDir(path, { mayExist: true }) && !isDirectory(path))) {
    throw new AppError(
      "IO",
      `Cannot make ${quote(path)}: a file is in the way`,
    );
  }
}

/** Makes one directory, mode 0700 unless given. Returns false when `mayExist` and it was there. Throws `IO`. */
export function makeDir(
  path: AbsPath,
  { mode = DIR_MODE, ...options }: { mayExist?: boolean; mode?: number } = {},
): boolean {
  return withIo("make", path, () => {
    try {
      Deno.mkdirSync(path, { mode });
    } catch (error) {
      // Another process may have made it in between.
      if (options.mayExist && osCode(error) === "EEXIST") return false;
      throw error;
    }
    chmod(path, mode);
    return true;
  });
}

/** Sets permission bits; nothing on Windows. */
export function chmod(path: string, mode: number): void {
  if (!HAS_MODES) return;
  withIo("change the mode of", path, () => Deno.chmodSync(path, mode));
}

/** Gives what was just made with this mode the bits that the umask took away, which is rare: seldom one is against the owner. */
export function undoUmask(path: string, mode: number): void {
  if (HAS_MODES && (Deno.umask() & mode) !== 0) chmod(path, mode);
}

/** Makes a new file with these contents, never through a link and never over something. Throws `IO`. */
export function writeNew(
  path: AbsPath,
  data: string | Uint8Array,
  mode = FILE_MODE,
): void {
  withIo("write", path, () => writeCreating(path, data, { mode, sync: false }));
}

/** Like {@link writeNew}, and the bytes are on the disk when it returns. */
export function writeSynced(
  path: AbsPath,
  data: string | Uint8Array,
  mode = FILE_MODE,
): void {
  withIo("write", path, () => writeCreating(path, data, { mode, sync: true }));
}

function writeCreating(
  path: AbsPath,
  data: string | Uint8Array,
  options: { mode: number; sync: boolean },
): void {
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data;
  // createNew is O_EXCL: it does not follow a link that somebody planted.
  const file = Deno.openSync(path, {
    write: true,
    createNew: true,
    mode: FILE_MODE,
  });
  try {
    let done = 0;
    while (done < bytes.length) done += file.writeSync(bytes.subarray(done));
    chmod(path, options.mode);
    if (options.sync) file.syncSync();
  } catch (error) {
    file.close();
    removeFile(path);
    throw error;
  }
  file.close();
}

/** Replaces a file: temporary file in the same directory, fsync, rename. A reader sees the old or the new text, never a part. */
export function writeAtomic(
  path: AbsPath,
  data: string | Uint8Array,
  mode = FILE_MODE,
): void {
  const temp = join(path, "..", tempName());
  withIo("write", path, () => {
    writeCreating(temp, data, { mode, sync: true });
    try {
      Deno.renameSync(temp, path);
    } catch (error) {
      removeFile(temp);
      throw error;
    }
    syncDir(join(path, ".."));
  });
}

/** Makes `path` a symbolic link to `target`, replacing what is there in one step. */
export function linkAtomic(path: AbsPath, target: string): void {
  const temp = join(path, "..", tempName());
  withIo("link", path, () => {
    Deno.symlinkSync(target, temp, { type: "file" });
    try {
      Deno.renameSync(temp, path);
    } catch (error) {
      removeFile(temp);
      throw error;
    }
  });
}

/** Makes a new symbolic link. Throws `IO` when something is there. */
export function symlink(path: AbsPath, target: string): void {
  withIo("link", path, () => Deno.symlinkSync(target, path, { type: "file" }));
}

/** A name for a temporary file or directory that nobody else uses. */
export function tempName(): string {
  return ".tmp-" + crypto.randomUUID();
}

/** Waits until the names in a directory are on the disk as they are now; nothing on Windows. */
export function syncDir(path: AbsPath): void {
  if (Deno.build.os === "windows") return;
  const dir = Deno.openSync(path);
  try {
    dir.syncSync();
  } finally {
    dir.close();
  }
}

/** `count` random hexadecimal digits, at most 32. */
export function randomHex(count: number): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, count);
}

/** Where a symbolic link points; undefined when `path` is no link. */
export function readLink(path: string): string | undefined {
  noteLook(path, "F");
  if (lstat(path)?.kind !== "symlink") return undefined;
  return ifExists("read", path, () => Deno.readLinkSync(path));
}

/** `path` with every link resolved; undefined when it leads nowhere. */
export function realPath(path: string): AbsPath | undefined {
  noteLook(path, "R");
  if (isAbsent(path, { follow: true })) return undefined;
  return ifExists("resolve", path, () => Deno.realPathSync(path) as AbsPath);
}

/** Moves `from` to `to` within one file system. */
export function rename(from: AbsPath, to: AbsPath): void {
  withIo("move", from, () => Deno.renameSync(from, to));
}

/** Copies a regular file's bytes (shared blocks where the file system can) and sets its mode. */
export function copyFile(from: string, to: AbsPath, mode = FILE_MODE): void {
  withIo("copy", from, () => Deno.copyFileSync(from, to));
  chmod(to, mode);
}

/** Removes a file or link; nothing when it is not there. */
export function removeFile(path: string): void {
  ifExists("remove", path, () => Deno.removeSync(path));
}

/** Removes a directory that is empty. Returns whether it is gone. */
export function removeEmptyDir(path: AbsPath): boolean {
  if ((readDir(path) ?? []).length > 0) return false;
  removeFile(path);
  return true;
}

/** Removes a tree, read-only directories as well; links in it are removed, not followed. Nothing when it is not there. */
export function removeTree(path: AbsPath): void {
  if (isAbsent(path, { follow: false })) return;
  ifExists("remove", path, () => {
    try {
      Deno.removeSync(path, { recursive: true });
    } catch (error) {
      if (osCode(error) !== "EACCES") throw error;
      makeWritable(path);
      Deno.removeSync(path, { recursive: true });
    }
  });
}

/** Lets this user remove what is in the directories of a tree. */
function makeWritable(path: string): void {
  if (!Deno.lstatSync(path).isDirectory) return;
  Deno.chmodSync(path, DIR_MODE);
  for (const entry of Deno.readDirSync(path)) {
    if (entry.isDirectory) makeWritable(`${path}/${entry.name}`);
  }
}

/** Whether this user may execute the file: by permission bits, or by suffix on Windows. */
export function isExecutable(path: string): boolean {
  const info = stat(path);
  if (info?.kind !== "file") return false;
  return Deno.build.os === "windows"
    ? /\.(exe|cmd|bat|com)$/i.test(path)
    : (info.mode & 0o111) !== 0;
}

/** Whether two paths are the same file or directory: also two spellings, where the file system takes them for one. */
export function isSameFile(a: string, b: string): boolean {
  const [one, other] = [stat(a), stat(b)];
  return one !== undefined && other !== undefined && one.ino !== 0 &&
    one.dev === other.dev && one.ino === other.ino;
}
