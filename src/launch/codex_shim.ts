/** The role `codex`: what stands on PATH in front of the real agent. */
import { activeEnv } from "../env/mod.ts";
import type { Host } from "../os/host.ts";
import { auditedRefusal } from "./audit_start.ts";
import { findCodex, planCodex } from "./codex_plan.ts";
import { isInside } from "./inside.ts";
import { performLaunch } from "./perform.ts";
import { becomeGlobal, isLoop, loopError } from "./shim.ts";

/** Starts Codex in the active env, or in the one that `-E` named. Throws with exit code 3: the agent was not started. */
export async function launchCodex(
  args: readonly string[],
  host: Host,
  option?: string,
): Promise<never> {
  let label: string | undefined;
  try {
    if (isLoop(host)) throw loopError("codex", host);
    if (isInside(host)) {
      const { inheritCodex } = await import("./inherit.ts");
      inheritCodex(args, host, option);
    }
    const { env, dirs } = activeEnv(host, option);
    if (env.kind === "global") becomeGlobal(args, host, findCodex(host, dirs));
    label = env.label;
    const plan = await planCodex({ env, args }, host, dirs);
    return await performLaunch(plan, { env, host, dirs });
  } catch (error) {
    throw await auditedRefusal(error, host, label);
  }
}
