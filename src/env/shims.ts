/** The shims: links to this program (copies on Windows) under the names `claude`, `codex` and `aenv`. */
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, isWithin, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import {
  copyFile,
  lstat,
  readLink,
  realPath,
  removeFile,
  rename,
  tempName,
} from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { sameContents } from "../os/same_contents.ts";
import type { Transaction } from "../tx/mod.ts";

/** Names that this program answers to. */
const NAMES = ["claude", "codex", "aenv"] as const;

/** A shim that has to be made or mended. */
export interface ShimStep {
  readonly path: AbsPath;
  readonly program: AbsPath;
}

/** The shims that are missing or lead elsewhere. Throws `PATH_INVALID` for what is not ours to replace. */
export function planShims(
  program: AbsPath,
  host: Host,
  dirs: Dirs,
): ShimStep[] {
  const real = realPath(program) ?? program;
  if (isWithin(real, realPath(dirs.shims) ?? dirs.shims)) {
    // There a shim is a whole copy, and as good a program as any.
    if (host.os === "windows") return [];
    throw new AppError(
      "PATH_INVALID",
      `Cannot make shims for ${
        quote(real)
      }: the program itself is in the directory of shims`,
      {
        hint: `Move it: mv ${real} ~/.local/bin/aenv && ~/.local/bin/aenv init`,
      },
    );
  }
  return NAMES.map((name) => ({
    path: shimPath(name, host, dirs),
    program: real,
  })).filter((step) => isStale(step, host));
}

/** Where the shim `name` stands. */
export function shimPath(
  name: typeof NAMES[number],
  host: Host,
  dirs: Dirs,
): AbsPath {
  return join(dirs.shims, host.os === "windows" ? `${name}.exe` : name);
}

/** Makes one shim, replacing an older one in one step. */
export function makeShim(
  { path, program }: ShimStep,
  { host, tx }: { host: Host; tx: Transaction },
): void {
  if (host.os !== "windows") return tx.put({ path, link: program });
  // A program that runs can be renamed there, but not overwritten.
  const old = join(path, "..", tempName() + ".old");
  const fresh = join(path, "..", tempName() + ".new");
  copyFile(program, fresh, 0o700);
  if (lstat(path)) rename(path, old);
  rename(fresh, path);
  removeUnlessBusy(old);
}

function removeUnlessBusy(path: AbsPath): void {
  try {
    removeFile(path);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
  }
}

function isStale({ path, program }: ShimStep, host: Host): boolean {
  const found = lstat(path);
  if (found === undefined) return true;
  if (host.os === "windows" && found.kind === "file") {
    return !sameContents(path, program);
  }
  if (found.kind === "symlink") return readLink(path) !== program;
  throw new AppError(
    "PATH_INVALID",
    `Cannot make shim ${quote(path)}: something that is no link is there`,
    { hint: `Look at it and move it away: mv ${path} ${path}.old` },
  );
}
