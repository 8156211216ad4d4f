/** From an opened env to a launch plan. Reads, never writes. */
import type { Dirs } from "../base/dirs.ts";
import { Var } from "../base/env_vars.ts";
import { type AbsPath, join, resolveFrom } from "../base/paths.ts";
import { AppError, ExitCode } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import {
  agentVersion,
  claude,
  compatProblem,
  findAgent,
} from "../agents/mod.ts";
import { type OpenEnv, readConfig, runDirFor } from "../env/mod.ts";
import { type McpServer, toAgentForm } from "../manifest/mod.ts";
import { isDirectory, lstat } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { checkLaunchable } from "./checks.ts";
import { type Contents, planContents } from "./contents.ts";
import {
  environmentChanges,
  launchEnvironment,
  undoOuterLaunch,
} from "./environment.ts";
import { type Exposed, exposedVariables, withExposed } from "./exposed.ts";
import { LaunchTrust } from "./trust_check.ts";
import type { LaunchPlan, PlannedFile } from "./types.ts";

/** The command that installs Claude Code. */
export const INSTALL_CLAUDE = "npm install -g @anthropic-ai/claude-code";

/** What is to be launched. */
export interface LaunchRequest {
  readonly env: OpenEnv;
  readonly args: readonly string[];
  /** A program to run instead of the agent, with its arguments in `args`. */
  readonly program?: AbsPath;
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
  const base = undoOuterLaunch(host.env);
  checkLaunchable(env, { ...base, ...env.manifest.vars });
  const trust = LaunchTrust.of(env, { host, dirs });
  const home = host.home();
  const isAgent = request.program === undefined;
  const program = request.program ?? findClaude(host, dirs);
  if (isAgent) await checkCompat(env, program, { host, dirs });
  const contents = trustedContents(env, { home, dirs }, trust);
  const exposed = await exposedVariables(env);
  const runDir = runDirFor(dirs, host);
  const recipe = planRecipe(request, {
    base,
    home,
    contents,
    exposed,
    runDir,
    dirs,
    cwd: host.cwd(),
    os: host.os,
  });
  const environment = launchEnvironment({
    base,
    passes: claude.passesToClaude,
    vars: env.manifest.vars,
    exposed: Object.keys(exposed),
    isolation: {
      set: { ...recipe.set, ...xdgVariables(env) },
      unset: recipe.unset,
    },
    breadcrumbs: breadcrumbs(env, { host, dirs, isAgent }),
    shims: dirs.shims,
  });
  return {
    env: env.label,
    agent: isAgent ? "claude" : "none",
    isolation: env.manifest.isolation,
    cwd: host.cwd(),
    program,
    args: isAgent ? recipe.args : request.args,
    environment,
    environmentChanges: environmentChanges(host.env, environment),
    exposed,
    installs: contents.installs,
    files: isAgent ? renderFiles(recipe.files, runDir) : [],
    hook: env.manifest.preActivate,
    trust: isAgent ? recipe.trust : undefined,
    notes: recipe.notes,
  };
}

function trustedContents(
  env: OpenEnv,
  place: { readonly home: AbsPath; readonly dirs: Dirs },
  trust: LaunchTrust | undefined,
): Contents {
  if (trust === undefined) return planContents(env, place);
  const contents = planContents(env, place, {
    hashOf: (tree) => trust.hashOf(tree),
  });
  trust.checkTrees(contents.installs);
  return contents;
}

interface RecipeContext {
  readonly base: Readonly<Record<string, string>>;
  readonly home: AbsPath;
  readonly cwd: AbsPath;
  readonly os: Host["os"];
  readonly contents: Contents;
  readonly exposed: Exposed;
  readonly runDir: AbsPath;
  readonly dirs: Dirs;
}

function planRecipe(
  request: LaunchRequest,
  context: RecipeContext,
): claude.Recipe {
  const { env } = request;
  const { base, home, cwd, os, contents, exposed, runDir, dirs } = context;
  const args = claude.parseUserArgs(
    request.program === undefined ? request.args : [],
  );
  const callerSettings = readCallerSettings(args.settings, cwd);
  claude.validateSettings(callerSettings);
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
    mcp: Object.fromEntries(
      Object.entries(env.manifest.mcp).filter(([, { disabled }]) => !disabled)
        .map((
          [name, server],
        ) => [name, agentServer(server, { env, home, exposed })]),
    ),
    plugins: pluginPlaces(env, contents),
    args,
    managedMcp:
      lstat(join(claude.managedDir(os), "managed-mcp.json")) !== undefined,
    callerSettings,
  });
  claude.validateSettings(
    recipe.files[claude.SETTINGS_FILE] as Record<string, unknown>,
  );
  claude.validateServers(
    claude.asRecord(
      (recipe.files[claude.MCP_FILE] as Record<string, unknown>)["mcpServers"],
    ),
  );
  return recipe;
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

function agentServer(
  server: McpServer,
  { env: { baseDir }, home, exposed }:
    & Pick<RecipeContext, "home" | "exposed">
    & { env: OpenEnv },
): claude.ServerEntry {
  function form(text: string): string {
    return withExposed(toAgentForm(text), exposed);
  }
  function rendered(
    table: Readonly<Record<string, string>>,
  ): Record<string, string> {
    return Object.fromEntries(
      Object.entries(table).map(([name, text]) => [name, form(text)]),
    );
  }
  if (server.type !== "stdio") {
    return {
      type: server.type,
      url: form(server.url),
      headers: rendered(server.headers),
    };
  }
  const { args, env, cwd } = server;
  const words = [server.command, ...args].map(form);
  const [command, ...rest] = cwd === undefined
    ? words
    : claude.startedIn(serverDir(cwd, { baseDir, home }), words);
  return { type: "stdio", command, args: rest, env: rendered(env) };
}

/** Where a server is started: `cwd` as the manifest has it. */
function serverDir(
  cwd: string,
  { baseDir, home }: { baseDir: AbsPath; home: AbsPath },
): AbsPath {
  return /^~(\/|$)/.test(cwd)
    ? join(home, cwd.slice(1))
    : resolveFrom(baseDir, cwd);
}

/** The settings of the last `--settings`, as the agent counts them: a JSON text or a file. */
function readCallerSettings(
  values: readonly string[],
  cwd: AbsPath,
): Record<string, unknown> {
  const value = values.at(-1);
  if (value === undefined) return {};
  const settings = value.trim().startsWith("{")
    ? parseObject(value)
    : claude.readJsonObject(resolveFrom(cwd, value));
  if (settings !== undefined) return settings;
  throw new AppError(
    "ARGUMENT_REFUSED",
    `Cannot use --settings ${
      quote(value)
    }: it is no JSON object and no file that holds one`,
    {
      exitCode: ExitCode.refused,
    },
  );
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return claude.isRecord(value) ? value : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

async function checkCompat(
  env: OpenEnv,
  program: AbsPath,
  { host, dirs }: { host: Host; dirs: Dirs },
): Promise<void> {
  const range = env.manifest.compat.claude;
  if (range === undefined) return;
  const problem = await compatProblem(
    await agentVersion(program, host, dirs),
    range,
  );
  if (problem === undefined) return;
  throw new AppError(
    "AGENT_INCOMPATIBLE",
    `Cannot start claude in ${quote(env.label)}: ${problem}`,
    {
      hint:
        `Install a version inside ${range}, or change compat in ${env.manifestPath}`,
      exitCode: ExitCode.refused,
    },
  );
}

function xdgVariables(env: OpenEnv): Record<string, string> {
  if (env.manifest.xdg === "shared") return {};
  return Object.fromEntries(
    ["config", "data", "state", "cache"].map((kind) => [
      `XDG_${kind.toUpperCase()}_HOME`,
      join(env.slot.xdg, kind),
    ]),
  );
}

function breadcrumbs(
  env: OpenEnv,
  { host, dirs, isAgent }: { host: Host; dirs: Dirs; isAgent: boolean },
): Record<string, string> {
  return {
    [Var.env]: env.breadcrumb,
    [Var.active]: env.label,
    [Var.home]: dirs.root,
    ...(isAgent ? { [Var.launcher]: String(host.pid) } : {}),
  };
}

function renderFiles(
  files: Readonly<Record<string, unknown>>,
  runDir: AbsPath,
): PlannedFile[] {
  return Object.entries(files).map(([name, value]) => ({
    path: join(runDir, name),
    content: JSON.stringify(value, undefined, 2) + "\n",
  }));
}
