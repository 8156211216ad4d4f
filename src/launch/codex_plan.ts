/** From an opened env to a launch of Codex, or of a command that starts it. Reads, never writes. */
import { claude, codex, findAgent } from "../agents/mod.ts";
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { type OpenEnv, readConfig, runDirFor } from "../env/mod.ts";
import type { Host } from "../os/host.ts";
import {
  keptSettings,
  ownArguments,
  plannedSettings,
  projectAround,
} from "./codex_settings.ts";
import { codexServers } from "./codex_servers.ts";
import { environmentChanges, type Variables } from "./environment.ts";
import { type Exposed, exposedVariables } from "./exposed.ts";
import { inheritFile } from "./inherit_file.ts";
import type { LaunchRequest } from "./plan.ts";
import {
  agentEnvironment,
  callersVariables,
  checkCompat,
  isConfined,
  openLaunch,
  xdgVariables,
} from "./plan_parts.ts";
import { draftSandbox } from "./sandbox.ts";
import type { OtherAgent, SandboxRequest } from "./sandbox_input.ts";
import { launcherMark, serviceFiles } from "./services.ts";
import type { Drafted, LaunchPlan } from "./types.ts";

const INSTALL_CODEX = "npm install -g @openai/codex";

/** The real Codex. Throws `AGENT_NOT_FOUND`. */
export function findCodex(host: Host, dirs: Dirs): AbsPath {
  return findAgent("codex", host, {
    configured: readConfig(dirs).agents["codex"],
    install: INSTALL_CODEX,
  });
}

/** What `sandbox explain` asks about. Throws `CONFIG_INVALID`. */
export function codexRequest(
  env: OpenEnv,
  host: Host,
  dirs: Dirs,
): SandboxRequest {
  const program = codexOrNone(host, dirs) ?? host.self;
  const other = codexNeeds(env, keptSettings(env), projectAround(env, host));
  return { env, program, other };
}

/** Plans a launch of Codex in `request.env`, or of another program that may start it. Throws whatever makes it impossible. */
export async function planCodex(
  request: LaunchRequest,
  host: Host,
  dirs: Dirs,
): Promise<LaunchPlan> {
  const { env } = request;
  const { base } = openLaunch(env, host, dirs);
  const { isAgent, agent, program } = programsOf(request, host, dirs);
  if (agent !== undefined && (isAgent || isShim(program, dirs))) {
    await checkCompat(env, ["codex", agent], { host, dirs });
  }
  const kept = keptSettings(env);
  const project = projectAround(env, host);
  const other = codexNeeds(env, kept, project);
  const wanted = { env, program, agent, other };
  const sandbox = await draftSandbox(wanted, host, dirs);
  const callers = callersVariables(env, base, sandbox);
  const exposed = await exposedVariables(env);
  const { told, given, runDir } = tellCodex(request, host, {
    ...{ dirs, base, callers, exposed, sandbox, kept, project },
  });
  const { services } = told;
  const confined = await sandbox?.finish(services);
  const stays = services.length > 0 || confined?.supervised !== undefined;
  const home = { [codex.HOME_VARIABLE]: env.slot.codex };
  const set = { ...given, ...xdgVariables(env), ...home };
  const files = await serviceFiles(services, runDir);
  if (confined) {
    const facts = { env, runDir, own: told.args, set, agent };
    files.push(inheritFile({ ...facts, name: "codex" }));
  }
  const environment = agentEnvironment(env, dirs, {
    ...{ callers, exposed, set, unset: [], passes: codex.passesToCodex },
    launcher: isAgent ? launcherMark(host.pid, { stays }) : undefined,
    sandbox: confined && runDir,
  });
  return {
    env: env.label,
    agent: isAgent ? "codex" : "none",
    isolation: "private",
    cwd: host.cwd(),
    program,
    args: isAgent ? [...told.args, ...request.args] : request.args,
    environment,
    // Asked for by who prints the plan.
    get environmentChanges() {
      return environmentChanges(host.env, environment);
    },
    ...{ exposed, services, sandbox: confined, installs: [], files },
    codex: { config: told.config },
    hook: env.manifest.preActivate,
    trust: undefined,
    // A shim that is started unconfined says it itself.
    notes: confined === undefined && isShim(program, dirs)
      ? []
      : [...told.notes, ...sandbox?.notes ?? []],
  };
}

/** What Codex is told, by its settings and its arguments, and what the user is. */
interface Told {
  readonly config: string;
  readonly args: readonly string[];
  readonly services: LaunchPlan["services"];
  readonly notes: readonly string[];
}

function tellCodex(
  { env, program, args }: LaunchRequest,
  host: Host,
  { dirs, base, callers, exposed, sandbox, kept, project }: {
    readonly dirs: Dirs;
    readonly base: Variables;
    readonly callers: Variables;
    readonly exposed: Exposed;
    readonly sandbox: Drafted | undefined;
    readonly kept: codex.Settings;
    readonly project: claude.ProjectFacts;
  },
): { told: Told; given: Variables; runDir: AbsPath } {
  const isAgent = program === undefined;
  if (isAgent && isConfined(env)) codex.checkArguments(args);
  const { vars } = env.manifest;
  const given = sandbox?.variables(vars) ?? {};
  const runDir = runDirFor(dirs, host);
  const servers = codexServers(env, {
    ...{ exposed, runDir, cwd: host.cwd(), host },
    // Without the arguments of this launch nobody could reach what runs beside it.
    beside: isAgent || isConfined(env),
    variables: { ...callers, ...vars },
    forward: [...Object.keys(given), ...Object.keys(vars)],
  });
  const settings = plannedSettings(env, { host, kept, servers: servers.plain });
  const told = {
    config: settings.text,
    args: ownArguments(env, {
      ...{ project, base, kept, home: host.home() },
      servers: servers.relayed,
    }),
    services: servers.services,
    notes: [...notesFor(env, servers.left), ...settings.notes],
  };
  return { told, given, runDir };
}

function isShim(program: AbsPath, { shims }: Dirs): boolean {
  return program === join(shims, "codex");
}

/** What is started, and the agent; that may be missing where a command brings its own. */
function programsOf(
  { program, env }: LaunchRequest,
  host: Host,
  dirs: Dirs,
) {
  if (program === undefined) {
    const found = findCodex(host, dirs);
    return { isAgent: true, agent: found, program: found };
  }
  const agent = isConfined(env) ? codexOrNone(host, dirs) : undefined;
  return { isAgent: false, agent, program };
}

function codexOrNone(host: Host, dirs: Dirs): AbsPath | undefined {
  try {
    return findCodex(host, dirs);
  } catch (error) {
    if (error instanceof AppError && error.code === "AGENT_NOT_FOUND") {
      return undefined;
    }
    throw error;
  }
}

/** What a sandbox has to give to Codex: its own directory in the env. */
function codexNeeds(
  { slot }: OpenEnv,
  kept: codex.Settings,
  { inside }: claude.ProjectFacts,
): OtherAgent {
  const place: claude.AgentPlace = {
    path: slot.codex,
    access: "write",
    why: "the agent's state and login in this environment",
    part: "agent",
    make: true,
  };
  return {
    name: "codex",
    part: { urls: codex.apiUrls(kept) },
    accepts: codex.passesToCodex,
    places: [place],
    guarded: [
      ...codex.steeringPlaces(slot.codex),
      ...inside.map((dir) => ({ path: join(dir, ".agents"), tree: true })),
    ],
  };
}

/** What the user should know: nothing that the env declares is left out silently. */
function notesFor(
  env: OpenEnv,
  left: readonly { readonly name: string; readonly why: string }[],
): string[] {
  const { plugins, skills } = env.manifest;
  const missing = [
    ...plugins.map(({ name }) => `plugin ${name}`),
    ...skills.map(({ name }) => `skill ${name}`),
    ...left.map(({ name, why }) => `MCP server ${name} (${why})`),
  ];
  return [
    ...(isConfined(env)
      ? ["codex's own sandbox is off: the one of the environment is around it"]
      : []),
    ...(missing.length > 0
      ? [`codex gets none of: ${missing.join(", ")}`]
      : []),
  ];
}
