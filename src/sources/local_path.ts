/** Sources on this machine. */
import { AppError } from "../base/errors.ts";
import {
  type AbsPath,
  isAbsolutePath,
  isWithin,
  join,
  resolveFrom,
} from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { lstat, realPath, stat } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import type { PathPin, PathSpec } from "./source.ts";

/** What paths start from. */
interface Place {
  readonly manifestDir: AbsPath;
  readonly host: Pick<Host, "home">;
}

/** The absolute path of a path source, links not resolved: from the manifest's directory, or from home for `~/…`. */
export function localPath(path: string, { manifestDir, host }: Place): AbsPath {
  return path === "~" || path.startsWith("~/")
    ? join(host.home(), path.slice(1))
    : resolveFrom(manifestDir, path);
}

/** The pin of a path source, which must be there. Throws `CONTENT_INVALID`. */
export function resolvePath(spec: PathSpec, place: Place): PathPin {
  locate(spec.path, place);
  return { kind: "path", path: portable(spec.path, place) };
}

/** What a path source leads to, links resolved. Throws `CONTENT_INVALID`. */
export function locate(
  path: string,
  place: Place,
): { path: AbsPath; kind: "file" | "directory" } {
  const full = localPath(path, place);
  const real = realPath(full);
  const kind = real === undefined ? undefined : stat(real)?.kind;
  if (real !== undefined && (kind === "file" || kind === "directory")) {
    return { path: real, kind };
  }
  const state = kind !== undefined
    ? "it is neither a directory nor a file"
    : lstat(full) === undefined
    ? "it does not exist"
    : "it is a link that leads nowhere";
  throw new AppError(
    "CONTENT_INVALID",
    `Cannot use ${quote(full)}: ${state}`,
    { hint: "A relative path starts from the directory of aenv.toml" },
  );
}

/** Below the manifest's directory a path is written from there, the same on every machine; else as the user wrote it. */
function portable(path: string, place: Place): string {
  const full = localPath(path, place);
  const dir = place.manifestDir;
  if (isWithin(full, dir)) {
    const rest = full.slice(dir.length).replace(/^[/\\]/, "");
    return rest === "" ? "." : "./" + rest.replaceAll("\\", "/");
  }
  return isAbsolutePath(path) ? full : path;
}
