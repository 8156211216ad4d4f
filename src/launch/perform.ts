/** Doing what a plan says, up to the point where this process becomes the agent. */
import { Var } from "../base/env_vars.ts";
import { type AbsPath, isWithin, join } from "../base/paths.ts";
import { claude } from "../agents/mod.ts";
import {
  beginRun,
  endRun,
  isSharedPlace,
  liveRuns,
  notFound,
  type OpenEnv,
  registerProject,
  writeSkillsManifest,
} from "../env/mod.ts";
import { becomeProgram } from "../os/exec.ts";
import {
  ensureDir,
  lstat,
  readDir,
  rename,
  tempName,
  writeNew,
} from "../os/fs.ts";
import { auditStart } from "./audit_start.ts";
import { undoOuterLaunch } from "./environment.ts";
import { environmentOf } from "./exposed.ts";
import { runHook } from "./hook.ts";
import { newsOf } from "./notes.ts";
import { QuickSandbox } from "./sandbox_quick.ts";
import { isStored, mendPlaced, placeFromStore, rootOf } from "./stored.ts";
import { copyTree, scanTree } from "./tree.ts";
import { discard } from "../os/discard.ts";
import { checkCopy, rememberMarks } from "./trust_check.ts";
import type { Supervisor } from "./supervise.ts";
import type {
  Confining,
  InstallStep,
  LaunchPlan,
  PerformContext,
} from "./types.ts";

export type { PerformContext };

/** Prepares everything and becomes the program, or stays beside it. Returns only by throwing; then nothing of the launch is left. */
export async function performLaunch(
  plan: LaunchPlan,
  context: PerformContext,
): Promise<never> {
  // First, since a keyring may be locked or lack one: then nothing was made that would have to be taken back.
  const environment = await environmentOf(plan, context.env, context);
  const supervisor = await supervisorOf(plan, context);
  const runDir = await prepareLaunch(plan, context);
  let sandbox: Confining | undefined;
  try {
    if (supervisor === undefined) sandbox = await sandboxOf(plan, context);
    // One that stays runs it itself where it has to be confined.
    const isOurs = supervisor === undefined || plan.sandbox === undefined;
    if (isOurs && plan.hook !== undefined) {
      await runHook(plan, context.env, sandbox);
    }
    tell(plan, context);
    if (supervisor !== undefined) return await supervisor.run(environment);
    auditStart(plan, context, { runDir, supervised: false });
    const program = { path: plan.program, args: plan.args, env: environment };
    if (sandbox !== undefined) return await sandbox.become(program);
    becomeProgram(program);
  } catch (error) {
    // What is confined may not clean up; the next launch does.
    if (!sandbox?.isApplied) {
      await sandbox?.giveUp();
      endRun(runDir);
    }
    throw error;
  }
}

function tell(
  plan: LaunchPlan,
  context: PerformContext,
): void {
  const { host } = context;
  if (host.env[Var.quiet] !== undefined) return;
  const { sandbox } = plan;
  const news = newsOf(plan, context);
  const lines = sandbox === undefined ? news : [...news, sandbox.summary];
  for (const line of lines) host.notice(`aenv: ${line}`);
}

/** What confines this process when it becomes the agent; undefined when nothing has to. */
async function sandboxOf(
  { sandbox }: LaunchPlan,
  context: PerformContext,
): Promise<Confining | undefined> {
  if (sandbox === undefined) return undefined;
  const { quick } = sandbox;
  if (quick !== undefined) return await QuickSandbox.open(quick, context);
  const { ReadySandbox } = await import("./sandbox_launch.ts");
  return await ReadySandbox.open(sandbox, context);
}

/** What stays beside the agent; undefined when nothing has to. */
async function supervisorOf(
  plan: LaunchPlan,
  context: PerformContext,
): Promise<Supervisor | undefined> {
  const { services, sandbox } = plan;
  if (services.length === 0 && sandbox?.supervised === undefined) {
    return undefined;
  }
  // Most launches need none and do not load it.
  const { openSupervisor } = await import("./supervise.ts");
  return await openSupervisor(plan, context);
}

/** Writes what the plan says: slot, copies, generated files. Returns the launch's own directory. */
export async function prepareLaunch(
  plan: LaunchPlan,
  context: PerformContext,
): Promise<AbsPath> {
  const { env, host, dirs } = context;
  const runDir = beginRun(dirs, host, {
    label: env.label,
    slotName: env.slotName,
    agent: plan.agent,
    cwd: plan.cwd,
  });
  try {
    // The record comes first: a removal that does not see it is seen here, and the other way round.
    prepareSlot(context);
    await installAll(plan, context);
    rememberMarks(env, plan.installs, dirs);
    for (const file of plan.files) writeNew(file.path, file.content);
    if (plan.codex !== undefined) {
      const { prepareCodexHome } = await import("./codex_home.ts");
      prepareCodexHome(env, context.host, plan.codex);
    } else if (plan.isolation === "private") {
      await claude.prepareFirstRun(
        env.slot.claude,
        firstRun(plan, context),
      );
    }
    return runDir;
  } catch (error) {
    endRun(runDir);
    throw error;
  }
}

/** The API key is asked about here and not in the plan, which is printed. */
function firstRun(
  plan: LaunchPlan,
  { env, host, dirs }: PerformContext,
): claude.FirstRun {
  const outer = undoOuterLaunch(host.env);
  const { stateFile } = claude.userConfig(outer, host.home(), dirs.root);
  return {
    trust: plan.agent === "none"
      ? undefined
      : { dir: plan.trust, record: env.slot.trusted },
    apiKey: claude.approvedApiKey(plan.environment, stateFile),
    confined: env.manifest.sandbox?.enabled === true,
  };
}

/** Makes the directories of the slot; a named env must still be there. */
function prepareSlot({ env, host, dirs }: PerformContext): void {
  if (env.scope === "named" && lstat(env.slot.manifest) === undefined) {
    throw notFound(env.label);
  }
  ensureDir(env.slot.root);
  ensureDir(env.slot.claude);
  registerProject(env, { host, dirs });
  if (env.manifest.xdg === "private") {
    for (const kind of ["config", "data", "state", "cache"]) {
      ensureDir(join(env.slot.xdg, kind));
    }
  }
}

/**
 * Puts plugins and skills in place that are not there yet, checks those from the store that are, and removes older ones when
 * nobody uses them.
 */
async function installAll(
  { installs, sandbox }: LaunchPlan,
  context: PerformContext,
): Promise<void> {
  const { env } = context;
  const roots = new Set(installs.map(({ target }) => rootOf(target, env)));
  const missing = [...roots].filter((root) => lstat(root) === undefined);
  const present = installs.filter(isStored).filter((step) =>
    !missing.some((root) => isWithin(step.target, root))
  );
  if (present.length > 0) await mendPlaced(present, context);
  for (const root of missing) {
    const steps = installs.filter((step) => isWithin(step.target, root));
    if (await installRoot(root, steps, context)) continue;
    const stored = steps.filter(isStored);
    if (stored.length > 0) await mendPlaced(stored, context);
  }
  if (missing.length > 0 || (sandbox === undefined && hasShared(roots, env))) {
    removeUnused(roots, context);
  }
}

/** Whether there are other places with files that other envs may have too: an agent that is not confined shall not find them. */
function hasShared(
  roots: ReadonlySet<AbsPath>,
  { slot }: OpenEnv,
): boolean {
  return (readDir(slot.installed) ?? [])
    .map(({ name }) => join(slot.installed, name))
    .some((path) => isSharedPlace(path) && !roots.has(path));
}

/** Builds one directory of copies aside and moves it into place. False when another launch was faster: then that one's is there. */
async function installRoot(
  root: AbsPath,
  steps: readonly InstallStep[],
  { env, dirs }: PerformContext,
): Promise<boolean> {
  const temp = join(root, "..", tempName());
  ensureDir(temp);
  try {
    for (const step of steps) {
      const target = (temp + step.target.slice(root.length)) as AbsPath;
      if (step.kind === "skill") writeSkillsManifest(join(target, "..", ".."));
      if (isStored(step)) {
        const standsAt = step.target;
        await placeFromStore({ ...step, target }, { dirs, root, standsAt });
      } else copyTree(step.source, target, scanTree(step.source));
      checkCopy({ ...step, target }, env);
    }
    return moveIn(temp, root);
  } finally {
    discard(temp);
  }
}

/** False when a directory is there already. Not looked at before: another launch could come between. */
function moveIn(temp: AbsPath, root: AbsPath): boolean {
  try {
    rename(temp, root);
    return true;
  } catch (error) {
    if (lstat(root)?.kind !== "directory") throw error;
    return false;
  }
}

function removeUnused(
  roots: ReadonlySet<AbsPath>,
  { env, host, dirs }: PerformContext,
): void {
  // In this order: what another launch has begun by now is listed, and so is its record after it.
  const found = readDir(env.slot.installed) ?? [];
  const others = liveRuns(dirs).some((r) =>
    r.slotName === env.slotName && r.pid !== host.pid
  );
  if (others) return;
  for (const { name } of found) {
    const path = join(env.slot.installed, name);
    if (!roots.has(path)) discard(path);
  }
}
