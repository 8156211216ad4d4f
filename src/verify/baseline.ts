/**
 * What the agent has by itself: its own commands, skills, agents and tools. Learned from a run without any configuration, in
 * an empty directory, once per program file.
 */
import type { Dirs } from "../base/dirs.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { ensureDir, readText, stat, writeAtomic } from "../os/fs.ts";
import { observe, type Seen } from "./observe.ts";
import type { Baseline } from "./types.ts";
import type { Workplace } from "./workplace.ts";

/** Changes when what is kept changes. */
const FORMAT = 1;
const MAX_KEPT = 10;

/** How the bare agent is run. */
export interface BareRun {
  readonly program: AbsPath;
  readonly path: string;
  readonly place: Workplace;
}

/** The kept baseline of the program; undefined when there is none. */
export function readBaseline(
  program: AbsPath,
  dirs: Dirs,
): Baseline | undefined {
  return readCache(dirs)[identity(program)];
}

/** Runs the bare agent and keeps what it showed. */
export async function learnBaseline(
  bare: BareRun,
  dirs: Dirs,
): Promise<Baseline> {
  const { program, place } = bare;
  const seen = await observe({
    program,
    // Without the sources, files of the directories above could come in.
    args: ["-p", "/context", "--setting-sources=user", "--strict-mcp-config"],
    environment: { PATH: bare.path, HOME: place.empty },
    cwd: place.empty,
    configDir: join(place.root, "config"),
    place,
  });
  const baseline = baselineOf(seen);
  ensureDir(dirs.cache);
  const kept = Object.entries(readCache(dirs)).filter(([key]) =>
    key !== identity(program)
  ).slice(1 - MAX_KEPT);
  writeAtomic(
    cacheFile(dirs),
    JSON.stringify(
      Object.fromEntries([...kept, [identity(program), baseline]]),
    ) + "\n",
  );
  return baseline;
}

/** The part of a bare run that is the agent's own: an organisation's policy shows up in it too. */
export function baselineOf(
  { observation, variables, added }: Pick<
    Seen,
    "observation" | "variables" | "added"
  >,
): Baseline {
  const { listed } = observation;
  const foreign = new Set(
    [...listed.skills, ...listed.agents]
      .filter(({ source }) => source !== "Built-in")
      .map(({ name }) => name),
  );
  function own(names: readonly string[]): string[] {
    return names.filter((name) => !foreign.has(name));
  }
  return {
    version: observation.version,
    model: observation.model,
    style: observation.style,
    names: own([
      ...observation.skills,
      ...observation.commands,
      ...listed.skills.map(({ name }) => name),
    ]),
    agents: own(observation.agents),
    plugins: observation.plugins.filter(({ source }) =>
      source.endsWith("@builtin")
    ).map(({ source }) => source),
    tools: observation.tools.filter((name) => !name.startsWith("mcp__")),
    variables: Object.keys(variables ?? {}).filter((name) =>
      !added.includes(name) && name !== "HOME" && name !== "PATH"
    ),
  };
}

function cacheFile(dirs: Dirs): AbsPath {
  return join(dirs.cache, "builtins.json");
}

function identity(program: AbsPath): string {
  const info = stat(program);
  return [FORMAT, program, info?.dev, info?.ino, info?.size, info?.mtime]
    .join(":");
}

function readCache(dirs: Dirs): Record<string, Baseline> {
  const text = readText(cacheFile(dirs));
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Record<string, Baseline>;
  } catch (error) {
    // A cache that cannot be read is made anew.
    if (!(error instanceof SyntaxError)) throw error;
    return {};
  }
}
