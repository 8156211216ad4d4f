/** Second names and clones of files, and their way to the disk. */
import {
  cPath,
  errnoName,
  OPEN,
  openCalls,
  openDirectory,
  refusal,
} from "./c_files.ts";
import { undoUmask } from "./fs.ts";
import { osCode } from "./io_error.ts";

const FICLONE = 0x40049409n;

/** Gives a file a second name. Returns the system's code when it refuses (`EXDEV`, `EMLINK`, …). */
export function tryLink(from: string, to: string): string | undefined {
  return codeOf(() => Deno.linkSync(from, to));
}

/**
 * Makes `to` a copy that shares its blocks with `from` (reflink). Returns the system's code, and leaves nothing, when it
 * cannot. On macOS a plain copy does it wherever the file system can.
 */
export function tryClone(
  from: string,
  to: string,
  mode: number,
): string | undefined {
  const { glibc } = openCalls();
  if (Deno.build.os === "darwin") {
    return codeOf(() => Deno.copyFileSync(from, to)) ??
      codeOf(() => Deno.chmodSync(to, mode));
  }
  const [a, b] = [cPath(from, 0), cPath(to, 1)];
  if (!glibc || !a || !b) return "ENOTSUP";
  const source = glibc.open(a, OPEN.noFollow | OPEN.closeOnExec, 0);
  if (source < 0) return errnoName();
  const target = glibc.open(b, OPEN.writeNew | OPEN.closeOnExec, mode);
  let code = target < 0 ? errnoName() : undefined;
  if (target >= 0) {
    const result = glibc.ioctl(target, FICLONE, BigInt(source));
    if (result !== 0) {
      code = errnoName();
      Deno.removeSync(to);
    }
    glibc.close(target);
  }
  glibc.close(source);
  if (code === undefined) undoUmask(to, mode);
  return code;
}

function codeOf(operation: () => void): string | undefined {
  try {
    operation();
    return undefined;
  } catch (error) {
    const code = osCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

/** Waits until everything on the file system of `dir` is on the disk. Nothing where there is no such call. Throws `IO`. */
export function syncFileSystem(dir: string): void {
  const { glibc } = openCalls();
  const fd = openDirectory(dir);
  if (!glibc || fd === undefined) return;
  try {
    if (glibc.syncfs(fd) !== 0) throw refusal("sync", dir, errnoName());
  } finally {
    glibc.close(fd);
  }
}
