/** Turns what the operating system refuses into errors for people. */
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";

/** Words for the error codes that users meet. */
const STATES: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EBUSY: "it is in use",
  EDQUOT: "the disk quota is used up",
  EEXIST: "it exists already",
  EFBIG: "the file is too large",
  EISDIR: "it is a directory",
  ELOOP: "too many levels of symbolic links",
  EMFILE: "too many open files",
  EMLINK: "too many links",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "it does not exist",
  ENOSPC: "no space left on device",
  ENOTDIR: "a part of the path is not a directory",
  ENOTEMPTY: "the directory is not empty",
  EPERM: "operation not permitted",
  EROFS: "the file system is read-only",
  EXDEV: "it is on another file system",
};

/** The error code of a Deno or Node error (`ENOENT`, …); undefined when it has none. */
export function osCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = (error as { code?: unknown }).code;
  if (typeof code === "string") return code;
  if (error instanceof Deno.errors.NotFound) return "ENOENT";
  if (error instanceof Deno.errors.AlreadyExists) return "EEXIST";
  if (error instanceof Deno.errors.PermissionDenied) return "EACCES";
  if (error instanceof Deno.errors.NotADirectory) return "ENOTDIR";
  if (error instanceof Deno.errors.IsADirectory) return "EISDIR";
  if (error instanceof Deno.errors.FilesystemLoop) return "ELOOP";
  // A process that ends while a file of it below /proc is read: this error has no code.
  return /\(os error 3\)/.test(error.message) ? "ESRCH" : undefined;
}

/** Runs `operation`; an error of the operating system becomes an `IO` error that names the `action` and the `path`. */
export function withIo<T>(action: string, path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw ioError(action, path, error);
  }
}

/** `error` as an `IO` error; anything that is not the operating system's comes back unchanged. */
export function ioError(action: string, path: string, error: unknown): unknown {
  const code = osCode(error);
  if (code === undefined || error instanceof AppError) return error;
  const state = STATES[code] ?? code;
  return new AppError("IO", `Cannot ${action} ${quote(path)}: ${state}`, {
    cause: error,
    hint: hintFor(code),
  });
}

/** Whether `error` is an `IO` error because permission bits keep this user out. */
export function isDenied(error: unknown): boolean {
  return error instanceof AppError && error.code === "IO" &&
    osCode(error.cause) === "EACCES";
}

function hintFor(code: string): string | undefined {
  if (code === "ENOSPC" || code === "EDQUOT") {
    return "Free some space and try again";
  }
  if (code === "EACCES" || code === "EPERM") return "Check who owns it: ls -ld";
  if (code === "EROFS") {
    return "Set AENV_HOME to a directory that can be written";
  }
  return undefined;
}

/** Runs `operation`; undefined when the thing does not exist (also when a parent is missing or not a directory). */
export function ifExists<T>(
  action: string,
  path: string,
  operation: () => T,
): T | undefined {
  try {
    return operation();
  } catch (error) {
    const code = osCode(error);
    // ESRCH: a file below /proc whose process ended while it was read.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ESRCH") {
      return undefined;
    }
    throw ioError(action, path, error);
  }
}
