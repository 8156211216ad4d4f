/** A launch that has something to keep: this process stays, with the agent as its child on the same terminal. */
import { endRun, nameAgent, runDirFor } from "../env/mod.ts";
import { Children } from "../os/children.ts";
import { keepInherited } from "../os/inherited.ts";
import { endAs, hideMemory, SignalPasser, stopAlong } from "../os/job.ts";
import { type StartProgram, startServices } from "./service_run.ts";
import { type FilledServices, fillServices } from "./service_values.ts";
import type { LaunchPlan, PerformContext } from "./types.ts";

/** A launch whose values have been looked up. */
export interface Supervisor {
  /** Runs the agent to its end and ends as it did. Returns only by throwing: then the agent was not started. */
  run(environment: Readonly<Record<string, string>>): Promise<never>;
}

/** What a supervisor needs to know besides. */
export interface SupervisorOptions {
  /** How the agent and the servers are started; as they are unless given. Whoever confines them does it here. */
  readonly starter?: (children: Children) => StartProgram;
}

/** Looks up what the services need. Throws whatever makes them impossible: nothing has been started then. */
export async function openSupervisor(
  plan: LaunchPlan,
  context: PerformContext,
  options: SupervisorOptions = {},
): Promise<Supervisor> {
  const filled = await fillServices(plan, context.env, context);
  return {
    run: (environment) =>
      supervise({ ...plan, environment }, context, { ...options, filled }),
  };
}

async function supervise(
  plan: LaunchPlan,
  { host, dirs }: PerformContext,
  { filled, starter }: SupervisorOptions & {
    readonly filled: FilledServices;
  },
): Promise<never> {
  const runDir = runDirFor(dirs, host);
  hideMemory();
  using children = new Children();
  // From here on signals are the agent's, which gets them when it is there.
  const signals = new SignalPasser();
  const start: StartProgram = starter?.(children) ??
    ((options) => children.start(options));
  const services = startServices(plan, filled, { host, children, start });
  try {
    const agent = start({
      path: plan.program,
      args: plan.args,
      env: plan.environment,
      onStop: (signal) => void stopAlong(agent, signal),
    });
    signals.passTo(agent);
    keepInherited();
    nameAgent(runDir, agent.pid);
    const end = await agent.ended;
    await services.stop();
    endRun(runDir);
    endAs(end);
  } catch (error) {
    await services.stop();
    throw error;
  }
}
