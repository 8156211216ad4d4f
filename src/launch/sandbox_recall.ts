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
    /** Of Linux; elsewhere nothing is remembered. */
    readonly kernel: KernelFacts | undefined;
  },
): Promise<PlannedPolicy> {
  const context = { host, os: systemOf(host), dirs };
  const { input, notes } = policyInput(request, context);
  // From source nothing tells one version of the program from the next.
  const place: MemoPlace | undefined =
    kernel === undefined || BUILD_INFO.version === "dev" ? undefined : {
      dir: request.env.slot.sandbox,
      runDir: runDirFor(dirs, host),
      self: host.self,
      kernel,
    };
  const made = await makePolicy(input, place);
  return { policy: made.policy, project: made.projectRoot, notes };
}
