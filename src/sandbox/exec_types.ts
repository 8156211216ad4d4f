/** How a policy is enforced on one machine, as one plain value that can be sent to the process that confines itself. */
import type { AbsPath } from "../base/paths.ts";
import type { Architecture } from "../os/syscall_numbers.ts";
import type { LandlockRules } from "./landlock.ts";
import type { MediationRules } from "./mediate_rules.ts";
import type { SeccompNeeds } from "./seccomp_needs.ts";

/** What the kernel offers. */
export interface KernelFacts {
  /** As `uname -r` says. */
  readonly release: string;
  readonly architecture: Architecture;
  /** 0 where there is no Landlock. */
  readonly landlockAbi: number;
  readonly uid: number;
}

/** What a process of ours that stays outside and watches over the confined ones can do for them. */
export interface SupervisorFacts {
  /** Why system calls cannot be mediated; undefined where they can. */
  readonly noMediation: string | undefined;
  /** Why there are no namespaces without root; undefined where there are. */
  readonly noNamespaces: string | undefined;
}

/** What enforces a protection. */
export type Mechanism =
  | "landlock"
  | "seccomp"
  | "mediator"
  | "namespace"
  | "capabilities"
  /** Compared before and after: a change is found, not prevented. */
  | "comparison"
  | "nothing";

/** What somebody may rely on. */
export type ProtectionId =
  | "files"
  | "truncation"
  | "renames"
  | "devices"
  | "terminal-input"
  | "internet"
  | "unix-sockets"
  | "abstract-sockets"
  | "signals"
  | "processes"
  | "namespaces"
  | "kernel-interfaces"
  | "shared-memory"
  | "privileges"
  | "descriptors"
  | "orphans"
  | "protected-directories"
  | "protected-files"
  | "metadata";

/** One protection, and what it rests on here. */
export interface Protection {
  readonly id: ProtectionId;
  readonly by: Mechanism;
  /** For people: what exactly, and what is missing. */
  readonly note: string;
}

/** What becomes of the tree of files in a mount namespace of its own: read-only but for what is named, in this order. */
export interface MountPlan {
  /** As it is outside. Outer ones first. */
  readonly writable: readonly AbsPath[];
  /** Cannot be renamed or removed any more; what lies below stays as it is. Outer ones first. */
  readonly pinned: readonly AbsPath[];
  /** Read-only with everything below. */
  readonly readOnly: readonly AbsPath[];
}

/** Everything that is done to confine a program. */
export interface Enforcement {
  readonly landlock: LandlockRules;
  readonly seccomp: SeccompNeeds;
  /** What the supervisor is asked about; undefined when nothing is mediated. */
  readonly mediation: MediationRules | undefined;
  readonly mounts: MountPlan | undefined;
  /** Whether the kernel tells its audit what it refuses. Takes Landlock 7. */
  readonly logs?: boolean;
  readonly protections: readonly Protection[];
}
