/** What may be relied on, and what it rests on: nothing is listed as enforced that is not. */
import type { Enforcement, KernelFacts, Protection } from "./exec_types.ts";
import { FILE_RIGHT } from "./landlock.ts";
import type { SandboxPolicy } from "./types.ts";

/** What {@link protectionsOf} looks at. */
export interface EnforcementParts
  extends Pick<Enforcement, "landlock" | "seccomp" | "mounts"> {
  readonly policy: SandboxPolicy;
  readonly kernel: KernelFacts;
  /** Whether a process of ours stays. */
  readonly isSupervised: boolean;
  /** Why directories are not protected by a namespace, when they are not. */
  readonly noNamespaces: string;
}

/** Every protection with what enforces it here. */
export function protectionsOf(parts: EnforcementParts): Protection[] {
  return [
    ...fileProtections(parts),
    ...networkProtections(parts),
    ...processProtections(parts),
    ...projectProtections(parts),
  ];
}

function fileProtections(
  { landlock, seccomp, mounts }: EnforcementParts,
): Protection[] {
  const has = (right: number) => (landlock.handledFiles & right) !== 0;
  return [
    {
      id: "files",
      by: "landlock",
      note: "reading, writing, executing, making and removing",
    },
    {
      id: "truncation",
      by: seccomp.truncation ? "seccomp" : "landlock",
      note: seccomp.truncation
        ? "truncate() is refused everywhere, openat2() does not exist"
        : "files that may not be written cannot be emptied",
    },
    {
      id: "renames",
      by: "landlock",
      note: has(FILE_RIGHT.refer)
        ? "nothing is moved or linked to where more is allowed"
        : "nothing can be moved or linked into another directory at all",
    },
    {
      id: "devices",
      by: seccomp.devices ? "seccomp" : "landlock",
      note: seccomp.devices
        ? "only granted devices are opened or controlled; openat2() does " +
          "not exist"
        : "only granted devices are controlled",
    },
    {
      id: "metadata",
      by: mounts ? "namespace" : "nothing",
      note: mounts
        ? "owner, mode and times of files are changed where files may be " +
          "written; names, sizes and times can be seen everywhere"
        : "owner, mode and times of own files can be changed, and names, " +
          "sizes and times seen, everywhere",
    },
  ];
}

function networkProtections(
  { policy, landlock, seccomp }: EnforcementParts,
): Protection[] {
  return [
    internetProtection(policy),
    {
      id: "unix-sockets",
      by: seccomp.unix === "kernel"
        ? "landlock"
        : seccomp.unix === "mediated"
        ? "mediator"
        : "seccomp",
      note: seccomp.unix === "none"
        ? "there are none but pairs"
        : "only granted ones, and those that are made inside",
    },
    {
      id: "abstract-sockets",
      by: landlock.scoped !== 0
        ? "landlock"
        : seccomp.unix === "mediated"
        ? "mediator"
        : "seccomp",
      note: "none of a process outside",
    },
  ];
}

function internetProtection({ network }: SandboxPolicy): Protection {
  switch (network.mode) {
    case "none":
      return { id: "internet", by: "seccomp", note: "there are no sockets" };
    case "hosts":
      return {
        id: "internet",
        by: "mediator",
        note: "TCP to the proxy, to granted ports and to own servers, by " +
          "address and port; servers are reached from this machine only",
      };
    case "open":
      return {
        id: "internet",
        by: "nothing",
        note: "the network is open, as the manifest says; raw sockets do " +
          "not exist",
      };
  }
}

function processProtections(
  { landlock, seccomp, kernel, isSupervised }: EnforcementParts,
): Protection[] {
  return [
    {
      id: "signals",
      by: landlock.scoped === 0 ? "mediator" : "landlock",
      note: "only to processes inside",
    },
    {
      id: "processes",
      by: "landlock",
      note: "no memory, environment or descriptor of a process outside; " +
        "no debugging at all (seccomp)",
    },
    {
      id: "terminal-input",
      by: "seccomp",
      note: "nothing is typed into the terminal",
    },
    {
      id: "namespaces",
      by: "seccomp",
      note: "no namespaces, mounts or other roots",
    },
    {
      id: "kernel-interfaces",
      by: "seccomp",
      note: "no keys, BPF, io_uring, userfaultfd, perf or modules; calls " +
        "newer than the filter do not exist",
    },
    {
      id: "shared-memory",
      by: seccomp.ownSharedMemory ? "namespace" : "seccomp",
      note: seccomp.ownSharedMemory
        ? "System V memory and POSIX queues of its own"
        : "none by number (System V, POSIX queues)",
    },
    {
      id: "privileges",
      by: "capabilities",
      note: kernel.uid === 0
        ? "root without any capability, for good"
        : "no capabilities, and none from set-id programs",
    },
    {
      id: "descriptors",
      by: "seccomp",
      note: "only the terminal's three are inherited",
    },
    {
      id: "orphans",
      by: isSupervised ? "seccomp" : "nothing",
      note: isSupervised
        ? "every process inside carries a mark that it cannot shed"
        : "the program is not supervised: what it leaves behind stays, and " +
          "stays confined",
    },
  ];
}

function projectProtections(
  { policy, mounts, noNamespaces }: EnforcementParts,
): Protection[] {
  const paths = policy.protected;
  if (paths.length === 0) return [];
  const isMounted = mounts !== undefined && mounts.readOnly.length > 0;
  return [
    {
      id: "protected-directories",
      by: isMounted ? "namespace" : "comparison",
      note: isMounted
        ? `read-only: ${mounts.readOnly.join(", ")}`
        : `compared before and after: ${noNamespaces}`,
    },
    {
      id: "protected-files",
      by: "comparison",
      note: "single files and missing ones are compared before and after",
    },
  ];
}
