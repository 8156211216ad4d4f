/** Where it is written down what is known of a project. */
import type { AbsPath } from "../base/paths.ts";
import { sha256Hex } from "../os/hash.ts";

/** Which project, and in which directory its record lies. */
export interface ProtectPlace {
  /** `protect/` of the env's slot. */
  readonly dir: AbsPath;
  /** Root of the project. */
  readonly project: AbsPath;
}

/** Longer names are hashes. */
const MAX_KEY = 160;

/** The last project that was asked for: a launch asks several times. */
let last = { project: "", key: "" };

/** The name that a project has in file names: without dots and capital letters, and never that of another. */
export function projectKey({ project }: Pick<ProtectPlace, "project">): string {
  if (last.project !== project) last = { project, key: keyOf(project) };
  return last.key;
}

function keyOf(project: AbsPath): string {
  const name = project.replace(
    /[^a-z0-9_-]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return name.length > MAX_KEY ? sha256Hex(project) : name;
}

/** Where it is written down how the protected paths looked. */
export function looksPath(place: ProtectPlace): AbsPath {
  return `${place.dir}/${projectKey(place)}.looks` as AbsPath;
}
