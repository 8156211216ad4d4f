/** Files in directories where somebody hostile may write, and may put something else into their place at any moment. */
import { AppError } from "../base/errors.ts";
import {
  type AbsPath,
  isBelow,
  join,
  parent,
  relative,
} from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { lstat, type Stat } from "./fs.ts";
import { ifExists } from "./io_error.ts";
import { cString } from "./libc.ts";
import { decodeStatx, type Mark } from "./marks.ts";
import { OPEN } from "./open_flags.ts";
import { errnoText, syscall } from "./syscall.ts";

const HERE = -100;
const O_PATH = 0o10000000;
/** Neither the other end of a pipe is waited for, nor that somebody gives up a lease. */
const O_NONBLOCK = 0o4000;
const O_NOCTTY = 0o400;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;

/** What may be read of such a file. */
export interface ForeignOptions {
  /** A directory that nobody hostile can replace: on the way from there no link is followed. Unless given, the file's own. */
  readonly below?: AbsPath;
  /** Bytes. */
  readonly maxBytes: number;
  /** Of a larger file its last bytes, instead of an error. */
  readonly tail?: boolean;
}

/**
 * The bytes of a regular file that is reached through no link; undefined when there is none. Whatever is put there, this
 * neither waits nor leads elsewhere. Throws `IO` when it is anything else, or too large.
 */
export function readForeign(
  path: AbsPath,
  options: ForeignOptions,
): Uint8Array<ArrayBuffer> | undefined {
  const below = options.below ?? parent(path);
  if (!isBelow(path, below)) throw new RangeError(`${path} is elsewhere`);
  const names = relative(below, path).split("/");
  return ifExists("read", path, () => {
    using file = Deno.build.os === "linux"
      ? openOnLinux(below, names)
      : openElsewhere(below, names);
    if (file.kind !== "file") throw refusal(path, "it is not a regular file");
    const { maxBytes, tail } = options;
    if (file.size > maxBytes && !tail) {
      throw refusal(path, `it has more than ${maxBytes} bytes`);
    }
    const from = Math.max(0, file.size - maxBytes);
    const bytes = new Uint8Array(file.size - from);
    let done = 0;
    while (done < bytes.length) {
      const count = file.read(bytes.subarray(done), from + done);
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  });
}

/** As {@link readForeign}; also throws `IO` for what is no UTF-8. */
export function readForeignText(
  path: AbsPath,
  options: ForeignOptions,
): string | undefined {
  const bytes = readForeign(path, options);
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw refusal(path, "it is not UTF-8 text", error);
  }
}

interface OpenedFile extends Disposable {
  readonly kind: Mark["kind"];
  readonly size: number;
  read(into: Uint8Array<ArrayBuffer>, from: number): number;
}

/** Directory by directory, each from the one before. */
function openOnLinux(below: AbsPath, names: readonly string[]): OpenedFile {
  const through = O_PATH | OPEN.directory | OPEN.closeOnExec;
  const last = OPEN.noFollow | OPEN.closeOnExec | O_NONBLOCK | O_NOCTTY;
  let fd = must(syscall("openat", HERE, cString(below), through, 0));
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1;
    const flags = isLast ? last : through | OPEN.noFollow;
    const next = syscall("openat", fd, cString(name), flags, 0);
    syscall("close", fd);
    fd = must(next);
  }
  const facts = new Uint8Array(256);
  const looked = syscall(
    "statx",
    ...[fd, cString(""), AT_EMPTY_PATH, STATX_BASIC_STATS, facts],
  );
  const close = () => void syscall("close", fd);
  if (looked < 0) {
    close();
    must(looked);
  }
  const { kind, size } = decodeStatx(new DataView(facts.buffer));
  return {
    ...{ kind, size },
    read: (into, from) => must(syscall("pread64", fd, into, into.length, from)),
    [Symbol.dispose]: close,
  };
}

/** By what is there just before: on these systems a pipe that is put there in between is waited for. */
function openElsewhere(below: AbsPath, names: readonly string[]): OpenedFile {
  let path = below;
  let seen: Stat | undefined;
  for (const [index, name] of names.entries()) {
    path = join(path, name);
    seen = lstat(path);
    const isLast = index === names.length - 1;
    if (seen === undefined) throw new Deno.errors.NotFound();
    if (!isLast && seen.kind !== "directory") {
      throw new Deno.errors.NotADirectory();
    }
  }
  if (seen?.kind !== "file") throw refusal(path, "it is not a regular file");
  const file = Deno.openSync(path);
  const info = file.statSync();
  const isSame = (info.dev ?? 0) === seen.dev && (info.ino ?? 0) === seen.ino;
  return {
    kind: isSame && info.isFile ? "file" : "other",
    size: info.size,
    read: (into, from) => {
      file.seekSync(from, Deno.SeekMode.Start);
      return file.readSync(into) ?? 0;
    },
    [Symbol.dispose]: () => file.close(),
  };
}

/** The result of a call. Throws an error with the system's code. */
function must(result: number): number {
  if (result >= 0) return result;
  throw Object.assign(new Error(), { code: errnoText(result) });
}

function refusal(path: AbsPath, state: string, cause?: unknown): AppError {
  return new AppError("IO", `Cannot read ${quote(path)}: ${state}`, { cause });
}
