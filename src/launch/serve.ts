/** The services of a launch for somebody else who runs its agent. */
import { runDirFor } from "../env/mod.ts";
import { Children } from "../os/children.ts";
import { LaunchAudit } from "./audit_session.ts";
import { type RunningServices, startServices } from "./service_run.ts";
import { fillServices } from "./service_values.ts";
import type { LaunchPlan, PerformContext } from "./types.ts";

/** Starts the services of a plan that was prepared. The agent must be started by this process. `stop` them at the end. */
export async function serveLaunch(
  plan: LaunchPlan,
  context: PerformContext,
): Promise<RunningServices> {
  const filled = await fillServices(plan, context.env, context);
  const children = new Children();
  const runDir = runDirFor(context.dirs, context.host);
  const audit = new LaunchAudit(plan, context, runDir);
  const services = startServices(plan, filled, {
    host: context.host,
    children,
    start: (options) => children.start(options),
    onHandOut: (server) => audit.handOut(server),
  });
  return {
    ports: services.ports,
    async stop() {
      await services.stop();
      children[Symbol.dispose]();
    },
  };
}
