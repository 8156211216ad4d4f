/** Finding the real agent program. */
import { AppError } from "../base/errors.ts";
import {
  type AbsPath,
  isAbsolutePath,
  join,
  parseAbsPath,
  PATH_LIST_SEPARATOR,
} from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { isExecutable, lstat, type Stat, stat } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { sameContents } from "../os/same_contents.ts";
import { isShut } from "../os/libc.ts";

/** A candidate that was passed over, and why. */
export interface PassedOver {
  readonly path: string;
  readonly why:
    | "it is aenv itself"
    | "it is not executable"
    | "it is not a file";
}

/** Where to look besides PATH, and what to type when it is nowhere. */
export interface FindOptions {
  /** Program named in config.toml. */
  readonly configured: AbsPath | undefined;
  /** The command that installs it. */
  readonly install: string;
}

/**
 * The program `name`: the first on PATH that is not ourselves, then `configured`. Ourselves means the same file (device
 * and inode) or a copy with the same bytes, whatever its name and place. Throws `AGENT_NOT_FOUND`.
 */
export function findAgent(
  name: string,
  host: Host,
  options: FindOptions,
): AbsPath {
  const self = stat(host.self);
  const passed: PassedOver[] = [];
  const candidates = [
    ...pathCandidates(name, host),
    ...(options.configured ? [options.configured] : []),
  ];
  for (const path of candidates) {
    const problem = problemWith(path, host, self);
    if (problem === undefined) return path;
    if (problem !== "missing") passed.push({ path, why: problem });
  }
  throw new AppError(
    "AGENT_NOT_FOUND",
    `Cannot find ${quote(name)}: ${describe(passed)}`,
    {
      hint:
        `Install it: ${options.install}; or name it in config.toml: [agents] ${name} = "/path/to/${name}"`,
    },
  );
}

/** Files called `name` in the absolute directories of PATH, in order. A relative one would depend on the cwd. */
function pathCandidates(name: string, host: Host): AbsPath[] {
  const suffixes = host.os === "windows" ? [".exe", ".cmd", ".bat"] : [""];
  return (host.env["PATH"] ?? "").split(PATH_LIST_SEPARATOR)
    .filter((dir) => isAbsolutePath(dir))
    .flatMap((dir) =>
      suffixes.map((s) =>
        join(parseAbsPath(dir, "a directory of PATH"), name + s)
      )
    )
    // As in a shell: a directory that is closed is none to look in.
    .filter((path) => !isShut(path));
}

function problemWith(
  path: AbsPath,
  host: Host,
  self: Stat | undefined,
): PassedOver["why"] | "missing" | undefined {
  const found = stat(path);
  if (found === undefined) {
    return lstat(path) === undefined ? "missing" : "it is not a file";
  }
  if (found.kind !== "file") return "it is not a file";
  if (
    self !== undefined &&
    isSameProgram(path, found, { path: host.self, info: self })
  ) {
    return "it is aenv itself";
  }
  return isExecutable(path) ? undefined : "it is not executable";
}

/** Whether two files are one, or a copy of the other. Contents are compared only when the sizes agree. */
function isSameProgram(
  path: AbsPath,
  found: Stat,
  self: { path: AbsPath; info: Stat },
): boolean {
  if (
    found.ino !== 0 && found.dev === self.info.dev &&
    found.ino === self.info.ino
  ) return true;
  return found.size === self.info.size && sameContents(path, self.path);
}

function describe(passed: readonly PassedOver[]): string {
  if (passed.length === 0) return "it is not on PATH";
  const list = passed.map(({ path, why }) => `${quote(path)}: ${why}`).join(
    ", ",
  );
  return `no program on PATH can be used (${list})`;
}
