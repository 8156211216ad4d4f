/** The trial before a launch: done once for a kernel, a shape of policy and a build of ours. */
import { BUILD_INFO } from "../base/build_info.ts";
import { AppError } from "../base/errors.ts";
import type { Dirs } from "../base/dirs.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { endRun, runDirFor } from "../env/mod.ts";
import { ensureDir, lstat, writeAtomic } from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import type { Host } from "../os/host.ts";
import {
  checkProbed,
  type Enforcement,
  type KernelFacts,
  planEnforcement,
  probe,
  type Probed,
  probeKey,
  type Protection,
  readKernelFacts,
  readSupervisorFacts,
  type SandboxPolicy,
  supervisorReason,
} from "../sandbox/mod.ts";
import { hearsKernel } from "./audit_kernel.ts";
import { planPolicy, type SandboxRequest } from "./sandbox_policy.ts";

/** What this system enforces, and what a trial found. */
export interface ProbeReport {
  readonly kernel: KernelFacts;
  /** Why something of ours would stay beside the agent; undefined when it need not. */
  readonly supervised: string | undefined;
  readonly protections: readonly Protection[];
  readonly trial: readonly Probed[];
  /** Whether the audit log has what the kernel refuses by itself: files, ports, signals. */
  readonly auditsKernel: boolean;
}

/** Tries now what a launch would be held to. Throws `SANDBOX_UNENFORCED` where that cannot be done, `NOT_SUPPORTED` elsewhere than on Linux. */
export async function probeNow(
  request: SandboxRequest,
  host: Host,
  dirs: Dirs,
): Promise<ProbeReport> {
  if (host.os !== "linux") {
    throw new AppError(
      "NOT_SUPPORTED",
      "Cannot probe the sandbox: this is done on Linux only",
    );
  }
  const { policy } = planPolicy(request, host, dirs);
  const kernel = readKernelFacts();
  const supervised = supervisorReason(policy, kernel);
  const enforcement = planEnforcement(withSomePort(policy), kernel, {
    supervisor: supervised === undefined ? undefined : readSupervisorFacts(),
  });
  const trial = await tryIn(policy, enforcement, { host, dirs });
  const { protections } = enforcement;
  const auditsKernel = supervised !== undefined && hearsKernel(kernel);
  return { kernel, supervised, protections, trial, auditsKernel };
}

/** Tries it with the directories that a launch would make. */
async function tryIn(
  { make }: SandboxPolicy,
  enforcement: Enforcement,
  { host, dirs }: { readonly host: Host; readonly dirs: Dirs },
): Promise<readonly Probed[]> {
  for (const dir of [...make, dirs.probes]) ensureDir(dir);
  try {
    return await probe(enforcement, dirs.probes);
  } finally {
    endRun(runDirFor(dirs, host));
  }
}

/** The policy with a port that stands for that of a proxy which does not run yet. */
export function withSomePort(policy: SandboxPolicy): SandboxPolicy {
  const { network } = policy;
  return network.mode === "hosts"
    ? { ...policy, network: { ...network, proxy: { port: 1 } } }
    : policy;
}

/** Throws `SANDBOX_UNENFORCED` (exit 3) when something succeeds in a trial that must fail. */
export async function checkEnforced(
  enforcement: Enforcement,
  kernel: KernelFacts,
  dirs: Dirs,
): Promise<void> {
  const done = trialMark(enforcement, kernel, dirs);
  if (lstat(done) !== undefined) return;
  ensureDir(dirs.probes);
  checkProbed(await probe(enforcement, dirs.probes));
  writeAtomic(done, "");
}

/** The file that shows that a trial went well. */
export function trialMark(
  enforcement: Enforcement,
  kernel: KernelFacts,
  dirs: Dirs,
): AbsPath {
  const { version, commit } = BUILD_INFO;
  const key = probeKey(kernel, enforcement);
  return join(dirs.probes, sha256Hex([version, commit, key].join("\n")));
}
