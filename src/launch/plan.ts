/** From an opened env to a launch plan. Reads, never writes. */
import type { Dirs } from "../base/dirs.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { AppError } from "../base/errors.ts";
import { claude, findAgent } from "../agents/mod.ts";
import {
  type OpenEnv,
  readAgreedLock,
  readConfig,
  runDirFor,
} from "../env/mod.ts";
import { isDirectory, lstat } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { readCallerSettings } from "./caller_settings.ts";
import type { Contents } from "./contents.ts";
import { environmentChanges } from "./environment.ts";
import { type Exposed, exposedVariables } from "./exposed.ts";
import { inheritFile } from "./inherit_file.ts";
import { draftSandbox } from "./sandbox.ts";
import { agentServer, serverDir, type ServerPlace } from "./servers.ts";
import {
  checkPluginServers,
  launcherMark,
  planServices,
  serviceEntry,
  serviceFiles,
  serviceVariables,
} from "./services.ts";
import {
  agentEnvironment,
  callersVariables,
  checkCompat,
  isConfined,
  openLaunch,
  xdgVariables,
} from "./plan_parts.ts";
import type { LaunchTrust } from "./trust_check.ts";
import type { LaunchPlan, PlannedFile, PlannedService } from "./types.ts";

/** The command that installs Claude Code. */
export const INSTALL_CLAUDE = "npm install -g @anthropic-ai/claude-code";

/** What is to be launched. */
export interface LaunchRequest {
  readonly env: OpenEnv;
  /** As its manifest declares it, which is what a lock is about; `env` unless this launch differs. */
  readonly declared?: OpenEnv;
  readonly args: readonly string[];
  /** A program to run instead of the agent, with its arguments in `args`. */
  readonly program?: AbsPath;
  /** Whether an earlier launch may say how it is confined: then protections and reasons are not known. */
  readonly mayRecall?: boolean;
}

/** The real Claude Code. Throws `AGENT_NOT_FOUND`. */
export function findClaude(host: Host, dirs: Dirs): AbsPath {
  return findAgent("claude", host, {
    configured: readConfig(dirs).agents["claude"],
    install: INSTALL_CLAUDE,
  });
}

/** Plans a launch of Claude Code in `request.env`, or of another program with its variables. Throws whatever makes it impossible. */
export async function planLaunch(
  request: LaunchRequest,
  host: Host,
  dirs: Dirs,
): Promise<LaunchPlan> {
  const { env } = request;
  const { base, trust } = openLaunch(env, host, dirs);
  const { isAgent, agent, program } = programsOf(request, host, dirs);
  if (isAgent) await checkCompat(env, ["claude", program], { host, dirs });
  const [home, cwd, runDir] = [host.home(), host.cwd(), runDirFor(dirs, host)];
  const contents = await trustedContents(request, { home, dirs }, trust);
  const sandbox = await draftSandbox(
    { env, program, agent, mayRecall: request.mayRecall ?? false },
    host,
    dirs,
  );
  const callers = callersVariables(env, base, sandbox);
  const exposed = await exposedVariables(env);
  const { recipe, own, services } = planRecipe(request, {
    ...{ base, home, contents, exposed, runDir, dirs, host, cwd },
  });
  const confined = await sandbox?.finish(services);
  const stays = services.length > 0 || confined?.supervised !== undefined;
  const set = {
    ...sandbox?.variables(env.manifest.vars),
    ...{ ...recipe.set, ...xdgVariables(env) },
    ...serviceVariables(services, callers),
  };
  const isRead = isAgent || confined !== undefined;
  const files = isRead ? await plannedFiles(recipe, services, runDir) : [];
  if (confined) files.push(inheritFile({ env, runDir, own, set, agent }));
  const environment = agentEnvironment(env, dirs, {
    ...{ callers, exposed, set, unset: recipe.unset },
    passes: claude.passesToClaude,
    launcher: isAgent ? launcherMark(host.pid, { stays }) : undefined,
    sandbox: confined && runDir,
  });
  return {
    env: env.label,
    agent: isAgent ? "claude" : "none",
    isolation: env.manifest.isolation,
    cwd,
    program,
    args: isAgent ? recipe.args : request.args,
    environment,
    // Asked for by who prints the plan.
    get environmentChanges() {
      return environmentChanges(host.env, environment);
    },
    exposed,
    services,
    sandbox: confined,
    installs: contents.installs,
    files,
    hook: env.manifest.preActivate,
    trust: isAgent ? recipe.trust : undefined,
    notes: [...recipe.notes, ...sandbox?.notes ?? []],
  };
}

/** What is started, and the agent. */
function programsOf(request: LaunchRequest, host: Host, dirs: Dirs) {
  const agent = agentOf(request, host, dirs);
  const isAgent = request.program === undefined;
  return { isAgent, agent, program: request.program ?? agent! };
}

/** The agent; undefined where another program runs, unless that may start it in a sandbox, and it is there. */
function agentOf(
  { env, program }: LaunchRequest,
  host: Host,
  dirs: Dirs,
): AbsPath | undefined {
  if (program === undefined) return findClaude(host, dirs);
  if (!isConfined(env)) return undefined;
  try {
    return findClaude(host, dirs);
  } catch (error) {
    if (error instanceof AppError && error.code === "AGENT_NOT_FOUND") {
      return undefined;
    }
    throw error;
  }
}

async function trustedContents(
  { env, declared = env }: LaunchRequest,
  place: { readonly home: AbsPath; readonly dirs: Dirs },
  trust: LaunchTrust | undefined,
): Promise<Contents> {
  const { plugins, skills } = env.manifest;
  // It may pin more than there is.
  const lock = readAgreedLock(declared);
  if (plugins.length + skills.length === 0) {
    // How sources are read need not be known.
    trust?.checkTrees([]);
    return { plugins: [], skillsPlugin: undefined, installs: [] };
  }
  const { planContents } = await import("./contents.ts");
  const known = lock === undefined ? {} : { lock };
  if (trust === undefined) return planContents(env, place, known);
  const contents = planContents(env, place, {
    ...known,
    hashOf: (tree) => trust.hashOf(tree),
  });
  trust.checkTrees(contents.installs);
  return contents;
}

interface RecipeContext {
  readonly base: Readonly<Record<string, string>>;
  readonly home: AbsPath;
  readonly cwd: AbsPath;
  readonly host: Host;
  readonly contents: Contents;
  readonly exposed: Exposed;
  readonly runDir: AbsPath;
  readonly dirs: Dirs;
}

interface PlannedRecipe {
  readonly recipe: claude.Recipe;
  /** The arguments that are ours and not the caller's. */
  readonly own: readonly string[];
  readonly services: PlannedService[];
}

function planRecipe(
  request: LaunchRequest,
  context: RecipeContext,
): PlannedRecipe {
  const { env } = request;
  const { base, home, cwd, host, contents, exposed, runDir, dirs } = context;
  const args = claude.parseUserArgs(
    request.program === undefined ? request.args : [],
  );
  const callerSettings = readCallerSettings(args.settings, cwd);
  claude.validateSettings(callerSettings);
  const managedMcp =
    lstat(join(claude.managedDir(host.os), "managed-mcp.json")) !== undefined;
  const plugins = pluginPlaces(env, contents);
  for (const { name, source } of plugins) {
    checkPluginServers(name, claude.pluginServers(source));
  }
  const dirOf = (dir: string) => serverDir(dir, { baseDir: env.baseDir, home });
  const place = { runDir, cwd, host, dirOf };
  const services = planServices(env, place);
  const recipe = claude.claudeRecipe({
    isolation: env.manifest.isolation,
    projectConfig: env.manifest.projectConfig,
    configDir: env.slot.claude,
    runDir,
    user: claude.userConfig(base, home, dirs.root),
    project: claude.projectFacts({
      cwd,
      home,
      manifestDir: env.scope === "project" ? env.baseDir : undefined,
    }),
    mcp: {
      ...agentServers(env, { home, exposed }),
      ...Object.fromEntries(
        services.map((service) => [service.name, serviceEntry(service, place)]),
      ),
    },
    plugins,
    args,
    managedMcp,
    callerSettings,
    confined: isConfined(env),
  });
  claude.validateSettings(
    recipe.files[claude.SETTINGS_FILE] as Record<string, unknown>,
  );
  claude.validateServers(
    claude.asRecord(
      (recipe.files[claude.MCP_FILE] as Record<string, unknown>)["mcpServers"],
    ),
  );
  // Only an agent that reads our file needs them; in a sandbox it may be started by a command.
  const isRead = request.program === undefined || isConfined(env);
  const isUsed = isRead && !args.informational && !managedMcp;
  const own = recipe.args.slice(0, recipe.args.length - args.rest.length);
  return { recipe, own, services: isUsed ? services : [] };
}

function agentServers(
  env: OpenEnv,
  place: Omit<ServerPlace, "env">,
): Record<string, claude.ServerEntry> {
  const servers = Object.entries(env.manifest.mcp)
    .filter(([, { disabled }]) => !disabled)
    .map(([name, server]) => [name, agentServer(server, { env, ...place })]);
  return Object.fromEntries(servers);
}

function pluginPlaces(env: OpenEnv, contents: Contents): claude.PluginPlace[] {
  const data = join(env.slot.claude, "plugins", "data");
  const trusted = new Set(
    contents.installs.filter(({ content }) => content !== undefined)
      .map(({ target }) => target),
  );
  const places = contents.plugins.map((plugin) => ({
    ...plugin,
    // A copy of trusted content has been checked; the source may change while we read it.
    source: trusted.has(plugin.installed) && isDirectory(plugin.installed)
      ? plugin.installed
      : plugin.source,
    data: join(data, `${plugin.name}-inline`),
  }));
  const { skillsPlugin } = contents;
  if (skillsPlugin === undefined) return places;
  return [...places, {
    name: "skills",
    source: skillsPlugin,
    installed: skillsPlugin,
    data,
  }];
}

async function plannedFiles(
  { files }: claude.Recipe,
  services: readonly PlannedService[],
  runDir: AbsPath,
): Promise<PlannedFile[]> {
  const rendered = Object.entries(files).map(([name, value]) => ({
    path: join(runDir, name),
    content: JSON.stringify(value, undefined, 2) + "\n",
  }));
  return [...rendered, ...await serviceFiles(services, runDir)];
}
