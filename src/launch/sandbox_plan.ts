/** The sandbox of a launch as a part of its plan: the policy, and how this system enforces it. */
import type { Dirs } from "../base/dirs.ts";
import { type AbsPath, tilde } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import type { Host } from "../os/host.ts";
import {
  type KernelFacts,
  passingVariables,
  type Protection,
  type QuickPlace,
  readKernelFacts,
  readyEnforcement,
  type SandboxPolicy,
  supervisorReason,
} from "../sandbox/mod.ts";
import type { Variables } from "./environment.ts";
import type { PlannedPolicy, SandboxRequest } from "./sandbox_input.ts";
import { recallPlanned } from "./sandbox_recall.ts";
import { variablesToSet } from "./sandbox_quick.ts";
import type { Drafted, PlannedSandbox, PlannedService } from "./types.ts";

/** A sandbox that is being planned. */
export class SandboxDraft implements Drafted {
  /** What the user should know about it. */
  readonly notes: readonly string[];
  readonly #policy: SandboxPolicy;
  readonly #project: AbsPath;
  readonly #home: string;
  readonly #kernel: KernelFacts | undefined;

  private constructor(
    { policy, project, notes }: PlannedPolicy,
    { home, kernel }: {
      readonly home: string;
      /** Of Linux. */
      readonly kernel: KernelFacts | undefined;
    },
  ) {
    this.#home = home;
    this.#kernel = kernel;
    this.#policy = policy;
    this.#project = project;
    this.notes = notes;
  }

  /** Reads what is needed. Throws (exit 3) when something may not be granted. */
  static async of(
    request: SandboxRequest,
    { host, dirs, place }: {
      readonly host: Host;
      readonly dirs: Dirs;
      /** Where to remember the launch that it is for. */
      readonly place?: QuickPlace | undefined;
    },
  ): Promise<SandboxDraft> {
    const kernel = host.os === "linux" ? readKernelFacts() : undefined;
    const planned = await recallPlanned(request, {
      ...{ host, dirs, kernel, place },
    });
    return new SandboxDraft(planned, {
      home: host.env["HOME"] ?? "",
      kernel,
    });
  }

  /** Those of the caller's variables that pass. */
  passing(variables: Variables): Record<string, string> {
    return passingVariables(variables, this.#policy.environment);
  }

  /** Variables that have to be set; `[vars]` may say another place for a cache, and not for temporary files. */
  variables(vars: Variables): Record<string, string> {
    return variablesToSet(this.#policy, vars);
  }

  /** The whole. Throws `SANDBOX_UNENFORCED` where this system cannot enforce it. */
  async finish(
    services: readonly PlannedService[],
  ): Promise<PlannedSandbox> {
    const [policy, project] = [this.#policy, this.#project];
    const kernel = this.#kernel;
    if (kernel === undefined) {
      const supervised = policy.network.mode === "hosts"
        ? "the network is filtered by host"
        : undefined;
      const summary = summaryOf(this.#policy, this.#home);
      return { policy, project, supervised, summary, protections: [] };
    }
    const supervised = supervisorReason(policy, kernel);
    const isSupervised = supervised !== undefined || services.length > 0;
    const protections = await protectionsHere(policy, kernel, { isSupervised });
    return {
      ...{ policy, project, supervised, protections },
      summary: summaryOf(policy, this.#home),
    };
  }
}

/** What this system will enforce; nothing is applied. */
async function protectionsHere(
  policy: SandboxPolicy,
  kernel: KernelFacts,
  { isSupervised }: { readonly isSupervised: boolean },
): Promise<readonly Protection[]> {
  const known = isSupervised ? undefined : readyEnforcement(policy);
  if (known !== undefined) return known.enforcement.protections;
  const { protectionsOn } = await import("./sandbox_enforce.ts");
  return protectionsOn(policy, kernel, { isSupervised });
}

/** What somebody who starts an agent should know: where it can write, and whom it can reach. */
function summaryOf(
  { grants, network }: SandboxPolicy,
  home: string,
): string {
  const granted = grants.filter(({ access, why }) =>
    access === "write" &&
    (why.source === "project" || why.source === "manifest")
  );
  const places = granted.map(({ path }) => quote(tilde(path, home)));
  return `confined: it writes to ${places.join(", ")}; ${
    networkWords(network)
  }; all of it: aenv sandbox explain`;
}

function networkWords(network: SandboxPolicy["network"]): string {
  switch (network.mode) {
    case "open":
      return "the network is open";
    case "none":
      return "no network";
    case "hosts":
      if (network.insteadOfNone !== undefined) {
        return `network: ${network.insteadOfNone}`;
      }
      return network.allow.length === 0
        ? "no host is reachable"
        : `the network is ${
          network.allow.map(({ pattern }) => pattern).join(", ")
        }`;
  }
}
