/** A mount namespace in which protected directories are read-only, and all that is not granted, where the kernel gives one without root. */
import { type AbsPath, isBelow, parent } from "../base/paths.ts";
import type { MountPlan, SupervisorFacts } from "./exec_types.ts";
import type { SandboxPolicy } from "./types.ts";

/**
 * What to mount; undefined when there is nothing, or there are no namespaces. Directories only: a mount over a file is gone
 * as soon as somebody outside replaces the file, as editors do.
 */
export function planMounts(
  { protected: paths, grants }: SandboxPolicy,
  supervisor: SupervisorFacts,
): MountPlan | undefined {
  if (supervisor.noNamespaces !== undefined) return undefined;
  const trees = paths.filter(({ state, tree }) => state === "directory" && tree)
    .map(({ path }) => path);
  const readOnly = outermost(trees);
  if (readOnly.length === 0) return undefined;
  const roots = grants.filter(({ access }) => access === "write")
    .map(({ path }) => path);
  const pinned = new Set(readOnly.flatMap((path) => between(path, roots)));
  const writable = grants.filter(({ access }) =>
    access === "write" || access === "create" || access === "folders"
  ).map(({ path }) => path);
  return {
    writable: outermost(writable).sort(),
    pinned: [...pinned].sort(),
    readOnly: [...readOnly].sort(),
  };
}

/** Those that lie below no other one. */
function outermost(paths: readonly AbsPath[]): AbsPath[] {
  return paths.filter((path) => !paths.some((other) => isBelow(path, other)));
}

/** The directories between a path and the writable one it lies in: moving one of them would move the path away. */
function between(path: AbsPath, roots: readonly AbsPath[]): AbsPath[] {
  const found: AbsPath[] = [];
  let at = parent(path);
  while (roots.some((root) => isBelow(at, root))) {
    found.push(at);
    at = parent(at);
  }
  return found;
}
