/** The start of a launch in the audit log: on the way of every launch, so it loads and does as little as can be. */
import { noteLaunch } from "../audit/mod.ts";
import { asRefusal } from "../base/errors.ts";
import { type AbsPath, basename } from "../base/paths.ts";
import type { Host } from "../os/host.ts";
import type { SandboxPolicy } from "../sandbox/mod.ts";
import { QUICK_NETWORK } from "./sandbox_quick.ts";
import type { LaunchPlan, PerformContext } from "./types.ts";

/** Writes down that a launch is about to start its program. Throws `IO`. */
export function auditStart(
  { agent, cwd, sandbox }: LaunchPlan,
  { env, dirs }: PerformContext,
  { runDir, supervised, policy }: {
    readonly runDir: AbsPath;
    readonly supervised: boolean;
    /** Hash of what the manifest says of the sandbox, as the lock has it. */
    readonly policy?: string;
  },
): void {
  noteLaunch(dirs.audit, {
    event: "launch-begin",
    agent,
    cwd,
    network: networkOf(sandbox),
    ...(policy === undefined ? {} : { policy }),
    supervised,
  }, { env: env.label, session: basename(runDir) });
}

/** Without the policy of a remembered launch, which is read only for who asks for it. */
function networkOf(
  sandbox: LaunchPlan["sandbox"],
): "unconfined" | SandboxPolicy["network"]["mode"] {
  if (sandbox === undefined) return "unconfined";
  return sandbox.quick ? QUICK_NETWORK : sandbox.policy.network.mode;
}

/** The error that a launch ends with, written down. `label` is the env's, where that was found. */
export async function auditedRefusal(
  error: unknown,
  host: Host,
  label: string | undefined,
): Promise<unknown> {
  const refusal = asRefusal(error);
  const { auditRefusal } = await import("./audit_refused.ts");
  auditRefusal(refusal, host, label);
  return refusal;
}
