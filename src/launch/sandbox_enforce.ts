/** How a policy will be enforced, planned and tried. */
import type { Dirs } from "../base/dirs.ts";
import {
  filterProgram,
  type KernelFacts,
  planEnforcement,
  type Protection,
  readKernelFacts,
  readSupervisorFacts,
  type ReadyEnforcement,
  type SandboxPolicy,
} from "../sandbox/mod.ts";
import { checkEnforced, trialMark, withSomePort } from "./sandbox_probe.ts";

/** Without a supervisor. Throws `SANDBOX_UNENFORCED` (exit 3) where this system cannot enforce it, or does not in a trial. */
export async function prepareEnforcement(
  policy: SandboxPolicy,
  dirs: Dirs,
): Promise<ReadyEnforcement> {
  const kernel = readKernelFacts();
  const enforcement = planEnforcement(policy, kernel, {
    supervisor: undefined,
  });
  await checkEnforced(enforcement, kernel, dirs);
  return {
    enforcement,
    filter: filterProgram(enforcement),
    trial: trialMark(enforcement, kernel, dirs),
  };
}

/** What this system will enforce; nothing is applied. */
export function protectionsOn(
  policy: SandboxPolicy,
  kernel: KernelFacts,
  { isSupervised }: { readonly isSupervised: boolean },
): readonly Protection[] {
  const supervisor = isSupervised ? readSupervisorFacts() : undefined;
  return planEnforcement(withSomePort(policy), kernel, { supervisor })
    .protections;
}
