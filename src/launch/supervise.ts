/** A launch that has something to keep: this process stays, with the agent as its child on the same terminal. */
import { endRun, nameAgent, type OpenEnv, runDirFor } from "../env/mod.ts";
import { type ChildEnd, Children } from "../os/children.ts";
import { keepInherited } from "../os/inherited.ts";
import { endAs, hideMemory, SignalPasser, stopAlong } from "../os/job.ts";
import { LaunchAudit } from "./audit_session.ts";
import { hookError, hookProgram } from "./hook.ts";
import type {
  SupervisedSandbox,
  SupervisorTools,
} from "./sandbox_supervise.ts";
import type {
  RunningServices,
  ServiceTools,
  StartProgram,
} from "./service_run.ts";
import type { FilledServices } from "./service_values.ts";
import type { LaunchPlan, PerformContext } from "./types.ts";

/** A launch whose values have been looked up. */
export interface Supervisor {
  /** Runs the agent to its end and ends as it did. Returns only by throwing: then the agent was not started. */
  run(environment: Readonly<Record<string, string>>): Promise<never>;
}

/** Looks up what the services need. Throws whatever makes them impossible: nothing has been started then. */
export async function openSupervisor(
  plan: LaunchPlan,
  context: PerformContext,
): Promise<Supervisor> {
  const filled = await filledServices(plan, context);
  return {
    run: (environment) => supervise({ ...plan, environment }, context, filled),
  };
}

/** Launches that stay for their network have none and do not load what runs them. */
async function filledServices(
  plan: LaunchPlan,
  context: PerformContext,
): Promise<FilledServices> {
  if (plan.services.length === 0) return { brokered: [], relayed: [] };
  const { fillLate, fillServices } = await import("./service_values.ts");
  // A command may never start an agent that asks for a server.
  return plan.agent === "none"
    ? fillLate(plan, context.env, context)
    : await fillServices(plan, context.env, context);
}

async function runServices(
  plan: LaunchPlan,
  filled: FilledServices,
  tools: ServiceTools,
): Promise<RunningServices | undefined> {
  if (plan.services.length === 0) return undefined;
  const { startServices } = await import("./service_run.ts");
  return startServices(plan, filled, tools);
}

async function supervise(
  plan: LaunchPlan,
  context: PerformContext,
  filled: FilledServices,
): Promise<never> {
  const { host, dirs } = context;
  const runDir = runDirFor(dirs, host);
  using children = new Children();
  const audit = new LaunchAudit(plan, context, runDir);
  // From here on signals are the agent's, which gets them when it is there.
  const signals = new SignalPasser();
  const sandbox = await sandboxOf(plan, context, { children, audit });
  hideMemory();
  const start: StartProgram = (options, server) =>
    sandbox ? sandbox.start(options, server) : children.start(options);
  const whoIs = sandbox && sandbox.whoIs.bind(sandbox);
  let services: RunningServices | undefined;
  try {
    services = await runServices(plan, filled, {
      ...{ host, children, start, whoIs },
      onHandOut: (server) => audit.handOut(server),
    });
    const ports = services?.ports ?? [];
    sandbox?.admitAgent(ports);
    const env = sandbox?.variables(plan.environment, ports) ??
      plan.environment;
    audit.begin();
    if (sandbox) await runHookBeside(plan, context.env, { start, env });
    const agent = start({
      path: plan.program,
      args: plan.args,
      env,
      onStop: (signal) => void stopAlong(agent, signal),
    });
    signals.passTo(agent);
    keepInherited();
    nameAgent(runDir, agent.pid);
    void sandbox?.loadSoon();
    const end = await agent.ended;
    await services?.stop();
    const lines = [
      ...await sandbox?.end() ?? [],
      ...await audit.end(exitCode(end)),
    ];
    for (const line of lines) host.notice(`aenv: ${line}`);
    endRun(runDir);
    endAs(end);
  } catch (error) {
    await services?.stop();
    await sandbox?.end();
    await audit.close();
    throw error;
  }
}

/** What confines the agent and its servers; undefined when nothing has to. */
async function sandboxOf(
  plan: LaunchPlan,
  context: PerformContext,
  tools: SupervisorTools,
): Promise<SupervisedSandbox | undefined> {
  const { sandbox } = plan;
  if (sandbox === undefined) return undefined;
  const { SupervisedSandbox } = await import("./sandbox_supervise.ts");
  return await SupervisedSandbox.open(
    { ...plan, sandbox },
    context,
    tools,
  );
}

/** Runs the hook in the agent's domain. Throws `HOOK_FAILED`. */
async function runHookBeside(
  { hook }: LaunchPlan,
  owner: OpenEnv,
  { start, env }: {
    readonly start: StartProgram;
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<void> {
  if (hook === undefined) return;
  const end = await start(hookProgram(hook, env)).ended;
  const code = exitCode(end);
  if (code !== 0) throw hookError(owner, code);
}

function exitCode(end: ChildEnd): number {
  return end.kind === "exited" ? end.code : 128 + end.signal;
}
