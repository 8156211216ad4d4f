/** From a policy and a kernel to what is done: which mechanism enforces what, and when a launch is refused. */
import type { AbsPath } from "../base/paths.ts";
import { NO_LANDLOCK, unenforced } from "./exec_error.ts";
import { protectionsOf } from "./exec_protections.ts";
import type {
  Enforcement,
  KernelFacts,
  SupervisorFacts,
} from "./exec_types.ts";
import { LANDLOCK_FLOOR, landlockRules } from "./landlock.ts";
import type { Destination, MediationRules } from "./mediate_rules.ts";
import { planMounts } from "./mounts.ts";
import { asksMediator, type SeccompNeeds } from "./seccomp_needs.ts";
import type { SandboxPolicy } from "./types.ts";

export { supervisorReason, unenforced } from "./exec_error.ts";

/** How the confined program is run. */
export interface PlanOptions {
  /** The process of ours that stays outside and watches over it, if one does. */
  readonly supervisor: SupervisorFacts | undefined;
}

/**
 * What is done on this kernel to enforce the policy. Throws `SANDBOX_UNENFORCED` when it cannot be enforced: nothing is
 * left out silently.
 */
export function planEnforcement(
  policy: SandboxPolicy,
  kernel: KernelFacts,
  { supervisor }: PlanOptions,
): Enforcement {
  if (kernel.landlockAbi < 1) {
    throw unenforced(NO_LANDLOCK);
  }
  const mounts = supervisor && planMounts(policy, supervisor);
  const seccomp = {
    ...seccompNeeds(policy, kernel, { supervisor }),
    ownSharedMemory: mounts !== undefined,
  };
  const mediation = mediationRules(policy, seccomp);
  if (mediation !== undefined) {
    const reason = supervisor === undefined
      ? "nothing supervises it"
      : supervisor.noMediation;
    if (reason !== undefined) throw unenforced(reason);
  }
  const landlock = landlockRules(policy, kernel.landlockAbi);
  return {
    landlock,
    seccomp,
    mediation,
    mounts,
    protections: protectionsOf({
      ...{ policy, landlock, seccomp, mounts, kernel },
      isSupervised: supervisor !== undefined,
      noNamespaces: supervisor?.noNamespaces ?? "nothing supervises it",
    }),
  };
}

function seccompNeeds(
  policy: SandboxPolicy,
  { landlockAbi, architecture }: KernelFacts,
  { supervisor }: PlanOptions,
): Omit<SeccompNeeds, "ownSharedMemory"> {
  const { mode } = policy.network;
  return {
    architecture,
    internet: mode === "hosts" ? "mediated" : mode,
    unix: unixNeeds(policy, landlockAbi, { supervisor }),
    truncation: landlockAbi < LANDLOCK_FLOOR.truncate,
    devices: landlockAbi < LANDLOCK_FLOOR.ioctlDev,
    signals: landlockAbi < LANDLOCK_FLOOR.scopes ? "mediated" : "kernel",
    marked: true,
  };
}

function unixNeeds(
  policy: SandboxPolicy,
  landlockAbi: number,
  { supervisor }: PlanOptions,
): SeccompNeeds["unix"] {
  // A connection that is made for the process is not held by its Landlock rules.
  if (policy.network.mode === "hosts") return "mediated";
  if (landlockAbi >= LANDLOCK_FLOOR.resolveUnix) return "kernel";
  const canAsk = supervisor !== undefined &&
    supervisor.noMediation === undefined;
  return canAsk || policy.unixSockets.length > 0 ? "mediated" : "none";
}

function mediationRules(
  policy: SandboxPolicy,
  { internet, unix, signals }: SeccompNeeds,
): MediationRules | undefined {
  if (!asksMediator({ internet, unix, signals })) return undefined;
  return {
    internet: internet === "open" ? "open" : destinations(policy),
    unixPaths: policy.unixSockets.flatMap(({ path, tree }) =>
      tree ? [] : [path]
    ),
    unixTrees: [
      ...writableTrees(policy),
      ...policy.unixSockets.flatMap(({ path, tree }) => tree ? [path] : []),
    ],
    signals: signals === "mediated",
  };
}

function destinations({ network }: SandboxPolicy): Destination[] {
  if (network.mode !== "hosts") return [];
  if (network.proxy === undefined) {
    throw unenforced("the network proxy does not run");
  }
  const { proxy, ports } = network;
  return [
    { address: "127.0.0.1", port: proxy.port },
    ...ports.flatMap(({ port }) => [
      { address: "127.0.0.1", port },
      { address: "::1", port },
    ]),
  ];
}

function writableTrees({ grants }: SandboxPolicy): AbsPath[] {
  return grants.flatMap(({ path, kind, access }) =>
    access === "write" && kind === "directory" ? [path] : []
  );
}
