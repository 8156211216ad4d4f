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

/**
 * The plan for asking the model where a sandbox has no network: the stand-in's address is the only one that is let through.
 * Undefined where the plan itself can be used.
 */
export function withStandIn(plan: LaunchPlan): ConfinedPlan | undefined {
  const { sandbox } = plan;
  if (sandbox?.policy.network.mode !== "none") return undefined;
  const insteadOfNone = "none, but for the stand-in for the model";
  const network = {
    mode: "hosts",
    ...{ allow: [], ports: [], proxy: undefined, insteadOfNone },
  } as const;
  return {
    ...plan,
    sandbox: {
      ...sandbox,
      policy: { ...sandbox.policy, network },
      supervised: "the network is filtered by host",
    },
  };
}

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
