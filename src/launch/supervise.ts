/** A launch that has something to keep: this process stays, with the agent as its child on the same terminal. */
import { endRun, nameAgent, type OpenEnv, runDirFor } from "../env/mod.ts";
import { Children } from "../os/children.ts";
import { keepInherited } from "../os/inherited.ts";
import { endAs, hideMemory, SignalPasser, stopAlong } from "../os/job.ts";
import { hookError, hookProgram } from "./hook.ts";
import type { SupervisedSandbox } from "./sandbox_supervise.ts";
import { type StartProgram, startServices } from "./service_run.ts";
import { type FilledServices, fillServices } from "./service_values.ts";
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
  const filled = await fillServices(plan, context.env, context);
  return {
    run: (environment) => supervise({ ...plan, environment }, context, filled),
  };
}

async function supervise(
  plan: LaunchPlan,
  context: PerformContext,
  filled: FilledServices,
): Promise<never> {
  const { host, dirs } = context;
  const runDir = runDirFor(dirs, host);
  using children = new Children();
  // From here on signals are the agent's, which gets them when it is there.
  const signals = new SignalPasser();
  const sandbox = await sandboxOf(plan, context, children);
  hideMemory();
  const start: StartProgram = (options, server) =>
    sandbox ? sandbox.start(options, server) : children.start(options);
  const whoIs = sandbox && sandbox.whoIs.bind(sandbox);
  const services = startServices(plan, filled, {
    ...{ host, children, start, whoIs },
  });
  try {
    sandbox?.admitAgent(services.ports);
    const env = sandbox?.variables(plan.environment, services.ports) ??
      plan.environment;
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
    const end = await agent.ended;
    await services.stop();
    for (const line of await sandbox?.end() ?? []) host.notice(`aenv: ${line}`);
    endRun(runDir);
    endAs(end);
  } catch (error) {
    await services.stop();
    await sandbox?.end();
    throw error;
  }
}

/** What confines the agent and its servers; undefined when nothing has to. */
async function sandboxOf(
  plan: LaunchPlan,
  context: PerformContext,
  children: Children,
): Promise<SupervisedSandbox | undefined> {
  const { sandbox } = plan;
  if (sandbox === undefined) return undefined;
  const { SupervisedSandbox } = await import("./sandbox_supervise.ts");
  return await SupervisedSandbox.open(
    { ...plan, sandbox },
    context,
    children,
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
  const code = end.kind === "exited" ? end.code : 128 + end.signal;
  if (code !== 0) throw hookError(owner, code);
}
