/** The policy of a launch, remembered from an earlier one where nothing has changed. */
import { claude } from "../agents/mod.ts";
import { BUILD_INFO } from "../base/build_info.ts";
import type { Dirs } from "../base/dirs.ts";
import { runDirFor } from "../env/mod.ts";
import type { Host } from "../os/host.ts";
import {
  CERTIFICATE_VARIABLES,
  type KernelFacts,
  type LaunchFacts,
  makePolicy,
  type MemoPlace,
  type QuickPlace,
  type ReadyEnforcement,
  recordFiles,
  type SandboxPolicy,
} from "../sandbox/mod.ts";
import {
  type PlannedPolicy,
  policyInput,
  type SandboxRequest,
  systemOf,
} from "./sandbox_input.ts";
import type { PlannedSandbox } from "./types.ts";

/** What a launch can be remembered with, besides what is known when it begins. */
type Offer = Pick<LaunchFacts, "looks" | "values" | "notes"> & {
  readonly place: QuickPlace;
  readonly request: SandboxRequest;
};

const offered = new WeakMap<SandboxPolicy, Offer>();

/** As `planPolicy`, and as strict. With `place`, the launch can be kept for later ones; see {@link rememberPlanned}. */
export async function recallPlanned(
  request: SandboxRequest,
  { host, dirs, kernel, place }: {
    readonly host: Host;
    readonly dirs: Dirs;
    /** Of Linux; elsewhere nothing is remembered. */
    readonly kernel: KernelFacts | undefined;
    readonly place: QuickPlace | undefined;
  },
): Promise<PlannedPolicy> {
  const context = { host, os: systemOf(host), dirs };
  const { value: { input, notes }, looks } = recordFiles(() =>
    policyInput(request, context)
  );
  // From source nothing tells one version of the program from the next.
  const memo: MemoPlace | undefined =
    kernel === undefined || BUILD_INFO.version === "dev" ? undefined : {
      dir: request.env.slot.sandbox,
      runDir: runDirFor(dirs, host),
      self: host.self,
      kernel,
    };
  const made = await makePolicy(input, memo);
  const { policy, projectRoot } = made;
  if (place && looks && made.looks) {
    offered.set(policy, {
      ...{ place, request, notes, looks: [looks, made.looks] },
      values: valuesOf(place.variables),
    });
  }
  return { policy, project: projectRoot, notes };
}

/** Keeps a launch for later ones, where it was found out in full. */
export async function rememberPlanned(
  { policy, project, summary }: PlannedSandbox,
  ready: ReadyEnforcement,
): Promise<void> {
  const offer = offered.get(policy);
  if (offer === undefined) return;
  const { keepLaunch } = await import("./sandbox_keep.ts");
  keepLaunch(offer, { policy, project, summary, ready });
}

/** Variables whose values a policy rests on. What others hold decides at most whether they pass. */
export const READ_VARIABLES: readonly string[] = [
  "PATH",
  ...CERTIFICATE_VARIABLES,
  ...claude.CONFIG_VARIABLES,
];

function valuesOf(
  variables: Readonly<Record<string, string>>,
): Record<string, string | null> {
  return Object.fromEntries(
    READ_VARIABLES.map((name) => [name, variables[name] ?? null]),
  );
}
