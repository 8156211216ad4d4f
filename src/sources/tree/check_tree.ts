/** Judges a tree that is on the disk already: a directory of the user's, a checkout. */
import { type AbsPath, join } from "../../base/paths.ts";
import { quote } from "../../base/text.ts";
import { EXCLUDED_NAMES } from "../../base/tree_names.ts";
import { lstat, readDir, readLink } from "../../os/fs.ts";
import type { Limits } from "../source.ts";
import { type Candidate, TreeGuard } from "./guard.ts";

/** How a tree is judged. */
export interface CheckOptions {
  /** What errors call it. */
  readonly what: string;
  readonly limits: Limits;
}

/** Passes every entry below `root` through the guard. Throws `SOURCE_REFUSED`, naming the entry. */
export function checkTree(root: AbsPath, options: CheckOptions): void {
  listTree(root, options);
}

/** The same, and returns the entries that are not left out; a directory comes before what is in it. */
export function listTree(root: AbsPath, options: CheckOptions): Candidate[] {
  const guard = new TreeGuard(options.what, options.limits);
  const found: Candidate[] = [];
  const pending = [""];
  for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
    for (const { name } of readDir(join(root, dir)) ?? []) {
      if (EXCLUDED_NAMES.has(name)) continue;
      const path = dir === "" ? name : `${dir}/${name}`;
      const candidate = candidateAt(root, path, guard);
      guard.accept(candidate);
      found.push(candidate);
      if (candidate.kind === "directory") pending.push(path);
    }
  }
  return found;
}

function candidateAt(
  root: AbsPath,
  path: string,
  guard: TreeGuard,
): Candidate {
  const full = join(root, path);
  const info = lstat(full);
  if (info === undefined) {
    guard.refuse(`${quote(path)} vanished while it was read`);
  }
  if (info.kind === "other") {
    guard.refuse(`${quote(path)} is neither a file nor a directory nor a link`);
  }
  return {
    path,
    kind: info.kind,
    size: info.kind === "file" ? info.size : 0,
    ...(info.kind === "symlink" ? { target: readLink(full) ?? "" } : {}),
  };
}
