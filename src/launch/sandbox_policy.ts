/** From an env to the policy of its launch, looked at anew. Reads, never writes. */
import type { Dirs } from "../base/dirs.ts";
import type { Host } from "../os/host.ts";
import { buildPolicy, readHostFacts } from "../sandbox/mod.ts";
import {
  type PlannedPolicy,
  policyInput,
  type SandboxRequest,
  systemOf,
} from "./sandbox_input.ts";

export type { PlannedPolicy, SandboxRequest };

/** The policy under which a launch would run. Throws (exit 3) when something that is needed or asked for may not be granted. */
export function planPolicy(
  request: SandboxRequest,
  host: Host,
  dirs: Dirs,
): PlannedPolicy {
  const context = { host, os: systemOf(host), dirs };
  const { input, notes } = policyInput(request, context);
  const facts = readHostFacts(input);
  const policy = buildPolicy(input, facts);
  return { policy, project: facts.projectRoot, notes };
}
