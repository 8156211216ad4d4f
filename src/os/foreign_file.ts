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
import { CallList } from "./call_list.ts";
import { CALL } from "./call_numbers.ts";
import { lstat, type Stat } from "./fs.ts";
import { ifExists } from "./io_error.ts";
import { cString } from "./libc.ts";
import { OPEN } from "./open_flags.ts";
import { FACT, FACT_WORDS } from "./stat_list.ts";

const HERE = -100;
const O_PATH = 0o10000000;
/** Neither the other end of a pipe is waited for, nor that somebody gives up a lease. */
const O_NONBLOCK = 0o4000;
const O_NOCTTY = 0o400;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
/** Errors that are met here, by name. */
const ERRORS: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  11: "EAGAIN",
  13: "EACCES",
  20: "ENOTDIR",
  24: "EMFILE",
  36: "ENAMETOOLONG",
  40: "ELOOP",
};

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
    if (!file.isRegular) throw refusal(path, "it is not a regular file");
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
  readonly isRegular: boolean;
  readonly size: number;
  read(into: Uint8Array<ArrayBuffer>, from: number): number;
}

/** Directory by directory, each from the one before. */
function openOnLinux(below: AbsPath, names: readonly string[]): OpenedFile {
  const through = O_PATH | OPEN.directory | OPEN.closeOnExec;
  const last = OPEN.noFollow | OPEN.closeOnExec | O_NONBLOCK | O_NOCTTY;
  let fd = must(call("openat", HERE, cString(below), through, 0));
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1;
    const flags = isLast ? last : through | OPEN.noFollow;
    const next = call("openat", fd, cString(name), flags, 0);
    call("close", fd);
    fd = must(next);
  }
  const facts = new Int32Array(FACT_WORDS);
  const bytes = new Uint8Array(facts.buffer);
  const looked = call(
    "statx",
    ...[fd, cString(""), AT_EMPTY_PATH, STATX_BASIC_STATS, bytes],
  );
  const close = () => void call("close", fd);
  if (looked < 0) {
    close();
    must(looked);
  }
  const [low, high] = [facts[FACT.size]!, facts[FACT.size + 1]!];
  return {
    isRegular: (facts[FACT.mode]! & S_IFMT) === S_IFREG,
    size: (low >>> 0) + high * 2 ** 32,
    read: (into, from) => must(call("pread64", fd, into, into.length, from)),
    [Symbol.dispose]: close,
  };
}

/** Returns the result of a system call, or the negative errno. */
function call(
  name: keyof typeof CALL,
  ...args: readonly (number | Uint8Array<ArrayBuffer>)[]
): number {
  const list = new CallList(1);
  const index = list.add(
    CALL[name],
    args.map((each) => typeof each === "number" ? each : list.place(each)),
  );
  list.mayFail(index);
  return list.run() === undefined ? -1 : list.result(index);
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
    isRegular: isSame && info.isFile,
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
  const code = ERRORS[-result] ?? `error ${-result}`;
  throw Object.assign(new Error(), { code });
}

function refusal(path: AbsPath, state: string, cause?: unknown): AppError {
  return new AppError("IO", `Cannot read ${quote(path)}: ${state}`, { cause });
}
