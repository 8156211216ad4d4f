/**
 * What Claude Code would pick up around the current directory, and which part of that is the project's own.
 * Measured on 2.1.197 and 2.1.329: memory files and .mcp.json come from every directory up to the root of the file system;
 * skills, commands, agents and workflows from the current directory up to the git root, or without one up to below $HOME.
 */
import { type AbsPath, ancestors, isWithin, join } from "../../base/paths.ts";
import { lstat, readDir, realPath } from "../../os/fs.ts";
import { agentNames, skillNames } from "./names.ts";
import { asRecord, readJsonObject } from "./user_config.ts";

/** The surroundings of a launch. */
export interface ProjectFacts {
  readonly cwd: AbsPath;
  /** Git root strictly below HOME (or off its path), else the manifest's directory, else the cwd. */
  readonly root: AbsPath;
  /** From the cwd up to the root, nearest first. */
  readonly inside: readonly AbsPath[];
  /** Directories above the root, nearest first. */
  readonly above: readonly AbsPath[];
  /** Whether HOME itself is the project: then its `.claude` is the user's own configuration. */
  readonly isHome: boolean;
  /** Names from above the root that the agent would load and the project has not itself. */
  readonly foreign: ForeignItems;
  /** Real places of memory files above the root that are reached through links. */
  readonly linkedMemory: readonly AbsPath[];
  /** The same for the project's own. */
  readonly ownLinkedMemory: readonly AbsPath[];
  /** Names that both the project and a directory above it have, which Claude Code 2.1.197 cannot keep apart. */
  readonly ambiguous: readonly string[];
  /** Whether the project brings files that run something or steer the agent. */
  readonly hasAgentFiles: boolean;
  /** Servers of the project's own .mcp.json files; the nearest file wins. */
  readonly mcpServers: Readonly<Record<string, unknown>>;
}

/** See {@link ProjectFacts.foreign}. */
export interface ForeignItems {
  readonly skills: readonly string[];
  readonly agents: readonly string[];
  readonly mcpServers: readonly string[];
}

/** Where to look. */
export interface ProjectPlace {
  readonly cwd: AbsPath;
  readonly home: AbsPath;
  /** Directory of a project env's manifest. */
  readonly manifestDir: AbsPath | undefined;
}

/** Root of the project: of the git repository, else the directory of the manifest, else the current one. Real path. */
export function projectRoot(place: ProjectPlace): AbsPath {
  return findRoot(place).root;
}

function findRoot({ manifestDir, ...place }: ProjectPlace) {
  const cwd = realPath(place.cwd) ?? place.cwd;
  const home = realPath(place.home) ?? place.home;
  const chain = ancestors(cwd);
  const gitRoot = chain.find((dir) =>
    lstat(join(dir, ".git")) !== undefined && !isWithin(home, dir)
  );
  const root = gitRoot ??
    (manifestDir && isWithin(cwd, manifestDir) ? manifestDir : cwd);
  return { cwd, home, chain, gitRoot, root };
}

/** Looks around; reads, never writes. */
export function projectFacts(place: ProjectPlace): ProjectFacts {
  const { cwd, home, chain, gitRoot, root } = findRoot(place);
  const cut = chain.indexOf(root) + 1;
  const [inside, above] = [chain.slice(0, cut), chain.slice(cut)];
  const walked = gitRoot === undefined ? walkedAbove(above, place.home) : [];
  const mcpServers = serversOf(inside);
  const skills = {
    foreign: walked.flatMap(skillNames),
    own: walked.length === 0 ? [] : inside.flatMap(skillNames),
  };
  return {
    cwd,
    root,
    inside,
    above,
    isHome: root === home,
    foreign: {
      skills: without(skills.foreign, skills.own),
      agents: without(walked.flatMap(agentNames), inside.flatMap(agentNames)),
      mcpServers: without(
        Object.keys(serversOf(above)),
        Object.keys(mcpServers),
      ),
    },
    linkedMemory: linkedMemory(above).filter((path) => !isWithin(path, root)),
    ownLinkedMemory: linkedMemory(inside),
    ambiguous: [...new Set(skills.foreign)].filter((name) =>
      skills.own.includes(name)
    ),
    hasAgentFiles: inside.some((dir) =>
      [".claude", ".mcp.json"].some((name) =>
        lstat(join(dir, name)) !== undefined
      )
    ),
    mcpServers,
  };
}

/** The walk without a git root ends below `$HOME`, compared as text; off that path it goes to the root. */
function walkedAbove(
  above: readonly AbsPath[],
  home: AbsPath,
): readonly AbsPath[] {
  const end = above.indexOf(home);
  return end < 0 ? above : above.slice(0, end);
}

function without(names: readonly string[], own: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => !own.includes(name)).sort();
}

/** Servers in the .mcp.json files of `dirs`, nearest first. */
function serversOf(dirs: readonly AbsPath[]): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const dir of dirs) {
    const servers = asRecord(
      readJsonObject(join(dir, ".mcp.json"))?.["mcpServers"],
    );
    for (const [name, server] of Object.entries(servers)) {
      if (!Object.hasOwn(out, name)) out[name] = server;
    }
  }
  return out;
}

/** Where links among the memory files of `dirs` lead: excludes are matched against the resolved path of a rule. */
function linkedMemory(dirs: readonly AbsPath[]): AbsPath[] {
  const found: AbsPath[] = [];
  function follow(path: AbsPath): void {
    if (lstat(path)?.kind !== "symlink") return;
    const real = realPath(path);
    if (real !== undefined) found.push(real);
  }
  function walk(dir: AbsPath, depth: number): void {
    for (const { name, kind } of readDir(dir) ?? []) {
      follow(join(dir, name));
      if (kind === "directory" && depth > 0) walk(join(dir, name), depth - 1);
    }
  }
  for (const dir of dirs) {
    follow(join(dir, ".claude"));
    follow(join(dir, ".claude", "rules"));
    walk(join(dir, ".claude", "rules"), 4);
  }
  return [...new Set(found)];
}
