/** One verification from plan to report. */
import { claude } from "../agents/mod.ts";
import type { Dirs } from "../base/dirs.ts";
import { AppError, ExitCode } from "../base/errors.ts";
import { type AbsPath, join, parseAbsPath } from "../base/paths.ts";
import { looksLikeCredential, redact } from "../base/redact.ts";
import { quote } from "../base/text.ts";
import { endRun, type OpenEnv } from "../env/mod.ts";
import {
  confinedWords,
  environmentOf,
  type LaunchPlan,
  type ObservedSandbox,
  planLaunch,
  prepareLaunch,
} from "../launch/mod.ts";
import { monotonicMs } from "../os/clock.ts";
import { readText } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { learnBaseline, readBaseline } from "./baseline.ts";
import { withServices, withStandIn } from "./beside.ts";
import { compare } from "./compare.ts";
import { SERVER_SAID } from "./compare_servers.ts";
import type { Comparison } from "./comparison.ts";
import { compareCopies } from "./copies.ts";
import { collectDeclared } from "./declared.ts";
import { SandboxClaims } from "./sandbox_claims_run.ts";
import type { Sources } from "./sources.ts";
import { notesOf } from "./notes.ts";
import { observe, overridden, type Seen } from "./observe.ts";
import { compareRequest, foreignTexts, ownTexts } from "./requests.ts";
import { settingsFiles } from "./settings.ts";
import { snapshotUserConfig } from "./snapshot.ts";
import {
  type Baseline,
  From,
  type Observation,
  type Report,
  type Row,
} from "./types.ts";
import {
  cleanSlot,
  logName,
  makeWorkplace,
  putIntoSettings,
  type Workplace,
} from "./workplace.ts";

/** How thorough to be. */
export interface VerifyOptions {
  /** Also send one request to the stub and read it. */
  readonly full: boolean;
}

/** What all steps need. */
interface Verification {
  readonly env: OpenEnv;
  readonly host: Host;
  readonly dirs: Dirs;
  readonly plan: LaunchPlan;
  readonly runDir: AbsPath;
  readonly sources: Sources;
  readonly user: claude.UserConfig;
  /** What confines the agent where something stays beside it. */
  readonly within: ObservedSandbox | undefined;
}

/**
 * Launches the env's agent once against a stand-in for the model and compares what it reports with what is declared.
 * Throws what planning throws, and `VERIFY_FAILED` when the agent could not be observed.
 */
export async function verifyEnv(
  env: OpenEnv,
  { host, dirs }: { readonly host: Host; readonly dirs: Dirs },
  options: VerifyOptions,
): Promise<Report> {
  const start = monotonicMs();
  const request = { env, args: ["-p", "/context"] };
  const planned = await planLaunch(request, host, dirs);
  const environment = await environmentOf(planned, env, { host, dirs });
  const plan = { ...planned, environment };
  const sources = sourcesOf(env, plan, host);
  checkPolicy(sources);
  const runDir = await prepareLaunch(plan, { env, host, dirs });
  try {
    const user = userOf(plan, { host, dirs });
    const step = { env, host, dirs, plan, runDir, sources, user };
    const open = withStandIn(plan);
    const observed = await withServices(
      plan,
      { env, host, dirs },
      (within) =>
        observeLaunch({ ...step, within }, {
          asks: options.full && open === undefined,
        }),
    );
    // What was tried so far was tried without a network; now one address of it is open.
    const asked = options.full && open !== undefined
      ? await withServices(
        open,
        { env, host, dirs },
        (within) => runOnce({ ...step, plan: open, within }, "ok"),
      )
      : observed.asked;
    return reportOf(step, { ...observed, asked }, start);
  } finally {
    endRun(runDir);
  }
}

/** What the runs of the agent showed. */
interface Observed {
  readonly baseline: Baseline;
  readonly seen: Seen;
  /** The run in which the model was asked. */
  readonly asked: Seen | undefined;
  /** What came of the sandbox's claims. */
  readonly claimed: readonly Row[];
}

async function observeLaunch(
  step: Verification,
  { asks }: { readonly asks: boolean },
): Promise<Observed> {
  const claims = SandboxClaims.of(step);
  const [baseline, seen] = await bothRuns(step, claims);
  const asked = asks ? await runOnce(step, "ok") : undefined;
  return { baseline, seen, asked, claimed: await claims?.rows(seen) ?? [] };
}

function reportOf(
  step: Omit<Verification, "within">,
  { baseline, seen, asked, claimed }: Observed,
  start: number,
): Report {
  const { env, plan, sources } = step;
  const { observation } = seen;
  const declared = collectDeclared(sources, observation);
  const comparison: Comparison = {
    declared,
    observation: {
      ...observation,
      // A conversation runs more hooks.
      hooks: (asked ?? seen).observation.hooks,
    },
    baseline,
    pluginDirs: plan.args.filter((arg) => arg.startsWith("--plugin-dir="))
      .map((arg) => arg.slice("--plugin-dir=".length)),
    variables: seen.variables,
    environment: plan.environment,
    added: seen.added,
    reportsHooks: !seen.lacking.includes("--include-hook-events"),
    serverErrors: withServiceErrors(seen.serverErrors, plan),
  };
  const rows = [
    ...compareCopies(plan),
    ...compare(comparison),
    ...(asked === undefined ? [] : requestRows(step, asked, comparison)),
    ...claimed,
  ].map((row) => redactRow(row, plan));
  return {
    env: env.label,
    agent: plan.agent,
    version: observation.version,
    ok: rows.every(({ status }) => status === "ok" || status === "unobserved"),
    rows,
    notes: notesOf({
      ...step,
      baseline,
      seen,
      switchedOff: declared.switchedOff,
      standIn: asked === undefined ? undefined : withStandIn(plan),
    }),
    ms: Math.round(monotonicMs() - start),
  };
}

/** The agent does not see what a server beside it prints: that is in our log, masked. */
function withServiceErrors(
  errors: Seen["serverErrors"],
  { services }: LaunchPlan,
): Seen["serverErrors"] {
  const out = new Map(errors);
  for (const service of services) {
    if (service.kind !== "stdio") continue;
    const last = readText(service.log)?.trimEnd().split("\n").at(-1);
    if (last === undefined) continue;
    const name = logName(service.name);
    out.set(name, [...out.get(name) ?? [], `${SERVER_SAID}${last}`]);
  }
  return out;
}

function sourcesOf(env: OpenEnv, plan: LaunchPlan, host: Host): Sources {
  const home = host.home();
  const project = claude.projectFacts({
    cwd: plan.cwd,
    home,
    manifestDir: env.scope === "project" ? env.baseDir : undefined,
  });
  const loadsProject = env.manifest.projectConfig === "load" &&
    !project.isHome;
  const managed = claude.managedDir(host.os);
  const settings = settingsFiles({ env, project, loadsProject, managed });
  return { env, plan, project, loadsProject, settings, managed, home };
}

/** The user's own configuration, from the plan: in a session of another env the variables around us are that env's. */
function userOf(
  { isolation, environment }: LaunchPlan,
  { host, dirs }: { readonly host: Host; readonly dirs: Dirs },
): claude.UserConfig {
  const login = environment["CLAUDE_SECURESTORAGE_CONFIG_DIR"];
  const variables = isolation === "overlay" || login === undefined
    ? environment
    : { CLAUDE_CONFIG_DIR: login };
  return claude.userConfig(variables, host.home(), dirs.root);
}

/** A policy beats everything we set: one that names another API would get the requests, so there is no verification then. */
function checkPolicy({ settings }: Sources): void {
  for (const { from, file, settings: policy } of settings) {
    if (from !== From.policy) continue;
    const name = overridden(policy);
    if (name === undefined) continue;
    throw new AppError(
      "VERIFY_FAILED",
      `Cannot observe the agent: the policy ${
        quote(file)
      } sets ${name}, so that its requests would go elsewhere`,
      { exitCode: ExitCode.refused },
    );
  }
}

/** The launch, and the bare agent where it is not known yet. */
async function bothRuns(
  step: Verification,
  claims: SandboxClaims | undefined,
): Promise<[Baseline, Seen]> {
  const { plan, dirs, runDir } = step;
  const known = readBaseline(plan.program, dirs);
  const bare = {
    program: plan.program,
    path: plan.environment["PATH"] ?? "",
    root: join(runDir, "bare"),
  };
  const [baseline, seen] = await settled(
    known ?? learn(bare, dirs),
    runOnce(step, "/context", claims?.command),
  );
  // A program that only starts another one stays the same file when that one is updated.
  if (baseline.version === seen.observation.version) return [baseline, seen];
  const again = { ...bare, root: join(runDir, "bare-again") };
  return [await learn(again, dirs), seen];
}

function learn(
  { program, path, root }: {
    readonly program: AbsPath;
    readonly path: string;
    readonly root: AbsPath;
  },
  dirs: Dirs,
): Promise<Baseline> {
  const place = makeWorkplace(root, undefined);
  return learnBaseline({ program, path, place }, dirs);
}

/** Both results; waits for both even when one fails, since both use the directory that is removed then. */
async function settled<A, B>(
  a: A | Promise<A>,
  b: Promise<B>,
): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([a, b]);
  if (first.status === "rejected") throw first.reason;
  if (second.status === "rejected") throw second.reason;
  return [first.value, second.value];
}

/** Runs the launch's agent once with this prompt. */
async function runOnce(
  step: Verification,
  prompt: string,
  attempt?: readonly string[],
): Promise<Seen> {
  const { env, plan, runDir, sources, user, within } = step;
  const cache = plan.environment["XDG_CACHE_HOME"];
  const place = makeWorkplace(
    join(
      within?.directory ?? runDir,
      prompt === "/context" ? "context" : "request",
    ),
    cache === undefined
      ? join(sources.home, ".cache")
      : parseAbsPath(cache, "$XDG_CACHE_HOME"),
    attempt,
  );
  const config = overlayConfig(step, user, place);
  const args = plan.args.map((arg) => arg === "/context" ? prompt : arg);
  const start = startOf(step, place.root);
  const seen = await observe({
    program: start.program,
    args: [...start.args, ...args],
    environment: plan.environment,
    cwd: plan.cwd,
    place,
    within,
    ...config,
    prepare: (variables) => putIntoSettings(plan, variables),
  });
  cleanSlot(env.slot.claude, seen.observation.session);
  return config.configDir === undefined ? seen : {
    ...seen,
    observation: renamePaths(seen.observation, config.configDir, user.dir),
  };
}

/** How the agent is started: through us where it has to be confined. */
function startOf(
  { plan: { program, sandbox }, host, within }: Verification,
  writable: AbsPath,
): { readonly program: AbsPath; readonly args: readonly string[] } {
  return sandbox === undefined || within !== undefined
    ? { program, args: [] }
    : confinedWords(sandbox.policy, host, { program, writable });
}

/** Paths in the copy are shown as what they are copies of. */
function renamePaths(
  observation: Observation,
  from: AbsPath,
  to: AbsPath,
): Observation {
  const renamed = (path: string) =>
    path.startsWith(from) ? to + path.slice(from.length) : path;
  const { listed, plugins } = observation;
  return {
    ...observation,
    plugins: plugins.map((p) => ({ ...p, path: renamed(p.path) })),
    listed: {
      ...listed,
      memory: listed.memory.map((row) => ({ ...row, name: renamed(row.name) })),
    },
  };
}

/** Overlay mode: a copy of the user's directory stands in for it, since the agent writes there. */
function overlayConfig(
  { plan }: Verification,
  user: claude.UserConfig,
  place: Workplace,
): { configDir?: AbsPath } {
  if (plan.isolation !== "overlay") return {};
  const configDir = join(place.root, "config");
  snapshotUserConfig(user, configDir);
  return { configDir };
}

function requestRows(
  { env, plan, user, sources }: Omit<Verification, "within">,
  asked: Seen,
  comparison: Comparison,
): Row[] {
  const [request] = asked.turns;
  if (request === undefined) {
    throw new AppError(
      "VERIFY_FAILED",
      "Cannot read a request of the agent: none came to the stand-in for the model",
    );
  }
  const directories = [
    env.slot.claude,
    ...sources.project.inside.map((dir) => join(dir, ".claude")),
    ...plan.installs.map(({ source }) => source),
  ];
  return compareRequest(
    request,
    comparison,
    foreignTexts(user, sources.project, ownTexts(comparison, directories)),
  );
}

/** Details may quote what servers and hooks printed. */
function redactRow(row: Row, plan: LaunchPlan): Row {
  const secrets = Object.entries(plan.environment)
    .filter(([name, value]) => looksLikeCredential(name, value))
    .map(([, value]) => value);
  const item = redact(row.item, secrets);
  return row.detail === undefined
    ? { ...row, item }
    : { ...row, item, detail: redact(row.detail, secrets) };
}
