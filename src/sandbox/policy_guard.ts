/** Which files inside writable places must stay as they are: what is in them runs, or is believed, outside of the sandbox. */
import { type AbsPath, basename, join, parent } from "../base/paths.ts";
import { LOCK_FILE, MANIFEST_FILE, PIN_FILE } from "../base/dirs.ts";
import { isIn } from "./path_text.ts";
import type {
  GitPlaces,
  Guarded,
  GuardState,
  PolicyInput,
} from "./policy_input.ts";
import type { Harmless, LeftOut, ProtectedPath, Reason } from "./types.ts";

/** Names in a directory of a project: what each is to whom, and whether everything below counts. */
const PROJECT_NAMES: readonly (readonly [string, boolean, string])[] = [
  [".mcp.json", false, "agents start the servers in it"],
  [".claude", true, "agents run the hooks and obey the instructions in it"],
  [".codex", true, "agents run what is in it"],
  [".envrc", false, "direnv runs it"],
  [".vscode", true, "editors run the tasks in it"],
  [".idea", true, "editors run the configurations in it"],
  [MANIFEST_FILE, false, "it declares the environment"],
  [LOCK_FILE, false, "it pins the environment"],
  [PIN_FILE, false, "it chooses the environment"],
  [".gitmodules", false, "git fetches from what it names"],
];

/** Parts of a git directory. */
const GIT_NAMES: readonly (readonly [string, boolean, string, Harmless?])[] = [
  ["hooks", true, "git runs them", { kind: "git-hooks" }],
  ["config", false, "git runs programs that it names", { kind: "git-config" }],
  ["config.worktree", false, "git runs programs that it names", {
    kind: "git-config",
  }],
  ["commondir", false, "git believes what it points to"],
  ["aenv", true, "it says whose secrets the clone gets"],
];

/** Where to look for candidates. */
export interface GuardPlaces {
  /** Directories of projects: the chain from the cwd up to the root, other writable directories of the manifest, repositories inside. */
  readonly projects: readonly AbsPath[];
  readonly git: readonly GitPlaces[];
  readonly searchPath: readonly AbsPath[];
  /** Paths of `protect`, globs resolved. */
  readonly named: readonly Guarded[];
}

/** Everything that would have to be protected, whether it exists or lies in a writable place or not. */
export function guardCandidates(
  input: Pick<PolicyInput, "manifests" | "guarded">,
  places: GuardPlaces,
): Guarded[] {
  return [
    ...places.projects.flatMap((dir) => namesIn(dir, PROJECT_NAMES)),
    ...places.git.flatMap(gitGuards),
    ...input.manifests.flatMap((path) => [
      guard(path, false, "it declares the environment"),
      guard(join(parent(path), LOCK_FILE), false, "it pins the environment"),
    ]),
    ...places.searchPath.filter((dir) => !isInstalled(dir)).map((dir) =>
      guard(dir, true, "it is on your PATH")
    ),
    ...places.named,
    ...input.guarded,
  ];
}

function gitGuards(git: GitPlaces): Guarded[] {
  return [
    guard(git.entry, false, "git believes what is in it"),
    ...[...git.dirs, ...git.modules].flatMap((dir) => namesIn(dir, GIT_NAMES)),
    ...(git.hooksPath === undefined
      ? []
      : [guard(git.hooksPath, true, "core.hooksPath: git runs what is in it")]),
  ];
}

function namesIn(
  dir: AbsPath,
  names: readonly (readonly [string, boolean, string, Harmless?])[],
): Guarded[] {
  return names.map(([name, tree, text, harmless]) => ({
    ...guard(join(dir, name), tree, text),
    ...(harmless ? { harmless } : {}),
  }));
}

function guard(path: AbsPath, tree: boolean, text: string): Guarded {
  return { path, tree, why: { source: "builtin", text } };
}

/** Directories of PATH that package managers fill: guarding them would forbid to install anything. */
export function isInstalled(dir: AbsPath): boolean {
  return basename(dir) === ".bin" || /\/\.?venv\/bin$/.test(dir);
}

/** The candidates that lie in a writable place, one for each path, sorted. */
export function protectedPaths(
  guards: readonly GuardState[],
  writable: readonly AbsPath[],
): ProtectedPath[] {
  const byPath = new Map<string, ProtectedPath>();
  for (const { path, tree, why, state, harmless } of guards) {
    // A place that is itself granted cannot be held as it is: what is inside may change.
    if (!writable.some((grant) => isIn(path, grant) && path !== grant)) {
      continue;
    }
    const before = byPath.get(path);
    const isFirst = before === undefined || (!before.tree && tree);
    const chosen: ProtectedPath = isFirst ? { path, state, tree, why } : before;
    const { harmless: _, ...kept } = chosen;
    // Somebody who names it means every change.
    const rule = before === undefined || before.harmless ? harmless : undefined;
    byPath.set(path, { ...kept, ...(rule ? { harmless: rule } : {}) });
  }
  return [...byPath.values()].sort((a, b) => compare(a.path, b.path));
}

/** Programs on PATH that can be changed from inside all the same. */
export function openPathDirs(
  searchPath: readonly AbsPath[],
  writable: readonly AbsPath[],
): LeftOut[] {
  return searchPath.filter((dir) =>
    isInstalled(dir) && writable.some((grant) => isIn(dir, grant))
  ).map((path) => ({
    path,
    why:
      "it is on your PATH and writable from inside: programs in it can be replaced",
  }));
}

/** A reason of the manifest. */
export function protectReason(text: string): Reason {
  return { source: "manifest", text: `sandbox.protect: ${text}` };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
