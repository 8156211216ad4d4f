/** Everything that a policy depends on and only this machine knows. Reads, never writes. */
import {
  type AbsPath,
  ancestors,
  basename,
  isAbsolutePath,
  isWithin,
  join,
  parent,
  parseAbsPath,
  PATH_LIST_SEPARATOR,
  resolveFrom,
} from "../base/paths.ts";
import { terminalPath } from "../os/special_files.ts";
import { gitPlaces, parseGitConfig } from "./host_facts_git.ts";
import { expand, findAll, Looker, unlessDenied } from "./host_facts_paths.ts";
import { pathWishes, programWishes } from "./host_facts_tools.ts";
import { kindAt, readDir, readText } from "./looks.ts";
import { guardCandidates, protectReason } from "./policy_guard.ts";
import type {
  Found,
  GitPlaces,
  Guarded,
  GuardState,
  HostFacts,
  PolicyInput,
  Wish,
} from "./policy_input.ts";
import { isSystemPath, systemWishes } from "./policy_system.ts";
import { envWishes, refused } from "./policy_wishes.ts";

/** Directories directly in a project that are looked at for repositories of their own. */
const MAX_NESTED = 200;

/** Reads the facts for a policy. Throws (exit 3) on a path of the manifest that cannot be understood. */
export function readHostFacts(input: PolicyInput): HostFacts {
  const looker = new Looker();
  const home = realHome(input.home, looker);
  const namedPath = namedSearchPath(input, looker);
  const searchPath = namedPath.filter((dir) => looker.real(dir) !== undefined);
  const projectRoot = looker.real(input.projectRoot) ?? input.projectRoot;
  const own = gitPlaces(projectRoot, home);
  const wishes = [
    ...envWishes(input, own === undefined ? [] : [own]),
    ...systemWishes(input, {
      terminal: terminalPath() as AbsPath | undefined,
      etc: input.uid === 0 ? namesIn("/etc" as AbsPath) : [],
    }),
    ...programs(input).flatMap((wish) =>
      programWishes(wish, searchPath, { home, looker })
    ),
    ...pathWishes(
      searchPath.filter((dir) => !isSystemPath(dir, input.os)),
      { home, looker },
    ),
    ...pathWishes(manifestPathDirs(input, looker), { home, looker }),
  ];
  const found = findAll(wishes, looker);
  found.push(...findAll(includedSettings(found, input.home), looker));
  const git = [
    ...(own === undefined ? [] : [own]),
    ...nestedRepositories(found, projectRoot, home),
  ];
  const cwd = looker.real(input.cwd) ?? input.cwd;
  return {
    home,
    aenvHome: looker.real(input.aenvHome) ?? input.aenvHome,
    cwd,
    projectRoot,
    searchPath: namedPath,
    git,
    found,
    guards: guardStates(
      guardCandidates(input, {
        projects: projectDirs({ cwd, projectRoot, found, git }),
        git,
        searchPath: namedPath,
        named: namedGuards(input, projectRoot),
      }),
      looker,
    ),
  };
}

function programs(
  { agent, programs }: PolicyInput,
): Pick<Wish, "path" | "why" | "need">[] {
  const why = { source: "agent", text: "the program that is started" } as const;
  return [
    { path: agent.program, why, need: "must" },
    ...programs.map((program) => ({ ...program, need: "may" as const })),
  ];
}

/** A home that is the root directory is none: containers have such. */
function realHome(
  home: AbsPath | undefined,
  looker: Looker,
): AbsPath | undefined {
  const real = home === undefined ? undefined : looker.real(home) ?? home;
  return real === "/" ? undefined : real;
}

/** The directories of PATH, real; also those that do not exist yet: somebody may make them. */
function namedSearchPath(
  { variables, aenvHome }: PolicyInput,
  looker: Looker,
): AbsPath[] {
  const dirs = (variables["PATH"] ?? "").split(PATH_LIST_SEPARATOR)
    .filter(isAbsolutePath)
    .flatMap((dir) =>
      nearestReal(parseAbsPath(dir, "a directory of PATH"), looker) ?? []
    );
  // Our shims are a place of their own.
  const ours = looker.real(aenvHome) ?? aenvHome;
  return [...new Set(dirs)].filter((dir) => !isWithin(dir, ours));
}

/** The directories of `path_dirs`: their companions are wanted as those of PATH are. */
function manifestPathDirs(input: PolicyInput, looker: Looker): AbsPath[] {
  return findAll(
    envWishes(input, []).filter(({ why, access }) =>
      why.source === "manifest" && access === "exec"
    ),
    looker,
  ).flatMap(({ matches }) => matches.map(({ path }) => path));
}

/** Files that a granted git configuration includes: git stops when it cannot read one. */
function includedSettings(
  found: readonly Found[],
  home: AbsPath | undefined,
): Wish[] {
  return found.filter(({ wish }) => wish.ofGit).flatMap(({ wish, matches }) =>
    matches.filter(({ problem }) => problem === undefined)
      .flatMap(({ path }) => includesOf(path, home))
      .map((path) => ({ ...wish, path }))
  );
}

function includesOf(file: AbsPath, home: AbsPath | undefined): AbsPath[] {
  const text = unlessDenied(() => readText(file, 256 * 1024)) ?? "";
  return parseGitConfig(text).filter(({ section, key }) =>
    key === "path" && /^include(if .*)?$/.test(section)
  ).flatMap(({ value }) => {
    if (!value.startsWith("~/")) return [resolveFrom(parent(file), value)];
    return home === undefined ? [] : [join(home, value.slice(2))];
  });
}

/** Repositories directly below the project, and those that other writable directories of the manifest are. */
function nestedRepositories(
  found: readonly Found[],
  projectRoot: AbsPath,
  home: AbsPath | undefined,
): GitPlaces[] {
  const below = (unlessDenied(() => readDir(projectRoot)) ?? [])
    .filter(({ kind, name }) =>
      kind === "directory" && name !== ".git" && name !== "node_modules"
    ).slice(0, MAX_NESTED).map(({ name }) => join(projectRoot, name));
  return [...below, ...writableDirs(found)].flatMap((dir) =>
    unlessDenied(() => kindAt(join(dir, ".git"))) === undefined
      ? []
      : gitPlaces(dir, home) ?? []
  );
}

/** Directories that the manifest makes writable, caches not counted. */
function writableDirs(found: readonly Found[]): AbsPath[] {
  return found.filter(({ wish }) =>
    wish.why.source === "manifest" && wish.access === "write" && !wish.make
  ).flatMap(({ matches }) =>
    matches.filter(({ kind }) => kind === "directory").map(({ path }) => path)
  );
}

function projectDirs({ cwd, projectRoot, found, git }: {
  readonly cwd: AbsPath;
  readonly projectRoot: AbsPath;
  readonly found: readonly Found[];
  readonly git: readonly GitPlaces[];
}): AbsPath[] {
  const chain = ancestors(cwd).filter((dir) => isWithin(dir, projectRoot));
  const trees = git.map(({ entry }) => parent(entry));
  return [
    ...new Set([projectRoot, ...chain, ...trees, ...writableDirs(found)]),
  ];
}

function namedGuards(input: PolicyInput, root: AbsPath): Guarded[] {
  return input.wishes.protect.flatMap((text) => {
    const parts = text.split("/");
    if (isAbsolutePath(text) || text.startsWith("~") || parts.includes("..")) {
      throw refused(
        `sandbox.protect: ${text}`,
        "it is not a path inside the project",
        "Write it relative to the project, without ..",
      );
    }
    const path = join(root, text);
    const paths = /[*?]/.test(text) ? expand(path) : [path];
    return paths.map((found) => ({
      path: found,
      tree: true,
      why: protectReason(text),
    }));
  });
}

/** What each candidate is now; where a link leads is a candidate as well. */
function guardStates(
  candidates: readonly Guarded[],
  looker: Looker,
): GuardState[] {
  return candidates.flatMap((guard): GuardState[] => {
    // The directory part real, the last name as it is.
    const dir = nearestReal(parent(guard.path), looker);
    if (dir === undefined) return [];
    const path = join(dir, basename(guard.path));
    const kind = unlessDenied(() => kindAt(path));
    const state = kind === undefined || kind === "other"
      ? "missing" as const
      : kind;
    const entry = { ...guard, path, state };
    if (state !== "symlink") return [entry];
    const target = looker.look(path);
    if (target?.kind !== "file" && target?.kind !== "directory") return [entry];
    return [entry, { ...guard, path: target.path, state: target.kind }];
  });
}

/** `dir` with its links resolved, also when its last parts do not exist yet. */
function nearestReal(dir: AbsPath, looker: Looker): AbsPath | undefined {
  for (const above of ancestors(dir)) {
    const real = looker.real(above);
    if (real !== undefined) return join(real, dir.slice(above.length));
  }
  return undefined;
}

function namesIn(dir: AbsPath): string[] {
  return (unlessDenied(() => readDir(dir)) ?? []).map(({ name }) => name);
}
