/**
 * What Claude Code would pick up around the current directory, and which part of that is the project's own.
 * Measured on 2.1.197 and 2.1.329: memory files and .mcp.json come from every directory up to the root of the file system;
 * skills, commands, agents and workflows from the current directory up to the git root, or without one up to below $HOME.
 */
import { type AbsPath, ancestors, isWithin, join } from "../../base/paths.ts";
import { lstat, readDir, readText, realPath } from "../../os/fs.ts";
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

/** Looks around; reads, never writes. */
export function projectFacts(place: ProjectPlace): ProjectFacts {
  const cwd = realPath(place.cwd) ?? place.cwd;
  const home = realPath(place.home) ?? place.home;
  const chain = ancestors(cwd);
  const gitRoot = chain.find((dir) =>
    lstat(join(dir, ".git")) !== undefined && !isWithin(home, dir)
  );
  const { manifestDir } = place;
  const root = gitRoot ??
    (manifestDir && isWithin(cwd, manifestDir) ? manifestDir : cwd);
  const cut = chain.indexOf(root) + 1;
  const [inside, above] = [chain.slice(0, cut), chain.slice(cut)];
  const walked = gitRoot === undefined ? walkedAbove(above, place.home) : [];
  const mcpServers = serversOf(inside);
  return {
    cwd,
    root,
    inside,
    above,
    isHome: root === home,
    foreign: {
      skills: without(walked.flatMap(skillNames), inside.flatMap(skillNames)),
      agents: without(walked.flatMap(agentNames), inside.flatMap(agentNames)),
      mcpServers: without(
        Object.keys(serversOf(above)),
        Object.keys(mcpServers),
      ),
    },
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

/** Names under which a directory's skills, commands and workflows are offered. */
function skillNames(dir: AbsPath): string[] {
  const claude = join(dir, ".claude");
  const skills = (readDir(join(claude, "skills")) ?? []).flatMap(({ name }) => [
    name,
    // A plugin among the skills brings its own.
    ...(readDir(join(claude, "skills", name, "skills")) ?? []).map((e) =>
      `${name}:${e.name}`
    ),
  ]);
  const commands = filesBelow(join(claude, "commands"), ".md");
  const workflows = ["js", "mjs", "ts", "md", "json"].flatMap((e) =>
    filesBelow(join(claude, "workflows"), "." + e)
  );
  return [...skills, ...commands, ...workflows].flatMap((
    name,
  ) => [name, offeredName(name)]);
}

/** Characters that a name may not have are offered as a dash. */
function offeredName(name: string): string {
  return name.replace(/[^A-Za-z0-9_:-]/g, "-");
}

/** Names of the agents of a directory: the front matter's, else the file's. */
function agentNames(dir: AbsPath): string[] {
  const agents = join(dir, ".claude", "agents");
  return filesBelow(agents, ".md").flatMap((name) => {
    const path = join(agents, ...name.split(":")) + ".md";
    const named =
      /^---\r?\n[\s\S]*?^name:[ \t]*["']?([^"'\r\n]+?)["']?[ \t]*$[\s\S]*?^---/m
        .exec(readText(path) ?? "")?.[1];
    return named === undefined ? [name] : [named, name];
  });
}

/** Files with this ending below `dir`, as `sub:name` without the ending. At most four levels, as deep as anybody nests them. */
function filesBelow(dir: AbsPath, ending: string, depth = 4): string[] {
  if (depth === 0) return [];
  return (readDir(dir) ?? []).flatMap(({ name, kind }) => {
    if (name.endsWith(ending)) return [name.slice(0, -ending.length)];
    if (kind === "file") return [];
    return filesBelow(join(dir, name), ending, depth - 1).map((below) =>
      `${name}:${below}`
    );
  });
}
