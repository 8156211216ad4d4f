/** What runs beside the agent while it is observed. */
import {
  type ConfinedPlan,
  type LaunchPlan,
  needsSupervisor,
  ObservedSandbox,
  type PerformContext,
  prepareConfined,
  serveLaunch,
} from "../launch/mod.ts";

/** Does it while what runs beside the agent runs. */
export async function withServices<T>(
  plan: LaunchPlan,
  context: PerformContext,
  work: (within: ObservedSandbox | undefined) => Promise<T>,
): Promise<T> {
  if (needsSupervisor(plan)) return await withSandbox(plan, context, work);
  const session = await prepareConfined(plan, context);
  const services = plan.services.length === 0
    ? undefined
    : await serveLaunch(plan, context);
  try {
    return await work(undefined);
  } finally {
    await services?.stop();
    await session?.end();
  }
}

async function withSandbox<T>(
  plan: ConfinedPlan,
  context: PerformContext,
  work: (within: ObservedSandbox) => Promise<T>,
): Promise<T> {
  const within = await ObservedSandbox.open(plan, context);
  try {
    return await work(within);
  } finally {
    for (const line of await within.stop()) {
      context.host.notice(`aenv: ${line}`);
    }
  }
}
