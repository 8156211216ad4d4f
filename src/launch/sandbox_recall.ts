/** The policy of a launch, remembered from an earlier one where nothing has changed. */
import { BUILD_INFO } from "../base/build_info.ts";
import type { Dirs } from "../base/dirs.ts";
import { runDirFor } from "../env/mod.ts";
import type { Host } from "../os/host.ts";
import {
  type KernelFacts,
  makePolicy,
  type MemoPlace,
} from "../sandbox/mod.ts";
import {
  type PlannedPolicy,
  policyInput,
  type SandboxRequest,
  systemOf,
} from "./sandbox_input.ts";

/** As `planPolicy`, and as strict. */
export async function recallPlanned(
  request: SandboxRequest,
  { host, dirs, kernel }: {
    readonly host: Host;
    readonly dirs: Dirs;
    readonly kernel: KernelFacts;
  },
): Promise<PlannedPolicy> {
  const context = { host, os: systemOf(host), dirs };
  const { input, notes } = policyInput(request, context);
  const place: MemoPlace = {
    dir: request.env.slot.sandbox,
    runDir: runDirFor(dirs, host),
    self: host.self,
    kernel,
  };
  // From source nothing tells one version of the program from the next.
  const isBuilt = BUILD_INFO.version !== "dev";
  const made = await makePolicy(input, isBuilt ? place : undefined);
  return { policy: made.policy, project: made.projectRoot, notes };
}
