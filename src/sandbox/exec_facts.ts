/** What this kernel offers a supervisor, found out by trying it. */
import { readCapabilities } from "../os/capabilities.ts";
import { cloneAndRun } from "../os/clone.ts";
import { closeDescriptor } from "../os/fds.ts";
import { readText } from "../os/fs.ts";
import { readMemory, takeDescriptor } from "../os/pidfd.ts";
import { waitForEnd } from "../os/process_marks.ts";
import { hasAction } from "../os/seccomp.ts";
import { addressOf, errnoText, syscall } from "../os/syscall.ts";
import { ACTION } from "./bpf.ts";
import type { SupervisorFacts } from "./exec_types.ts";
import { namespaceFlags, namespaceSteps } from "./mounts_steps.ts";

export { readKernelFacts } from "./kernel_facts.ts";

let found: SupervisorFacts | undefined;

/** Tries what a supervisor needs: some milliseconds, once in a process. What changes later fails where it is used. */
export function readSupervisorFacts(): SupervisorFacts {
  found ??= {
    noMediation: mediationProblem(),
    noNamespaces: namespaceProblem(),
  };
  return found;
}

function mediationProblem(): string | undefined {
  if (!hasAction(ACTION.notify)) return "seccomp cannot ask a supervisor";
  const scope = sysctl("kernel/yama/ptrace_scope");
  if (scope === "3" || (scope === "2" && !readCapabilities().canTrace)) {
    return `kernel.yama.ptrace_scope is ${scope}`;
  }
  // Containers forbid these calls more often than kernels lack them.
  const own = syscall("getpid");
  const descriptor = takeDescriptor(own, 0);
  if (descriptor < 0) {
    return `pidfd_getfd() is refused (${errnoText(descriptor)})`;
  }
  closeDescriptor(descriptor);
  const source = new Uint8Array([1]);
  const count = readMemory(
    own,
    addressOf(source),
    new Uint8Array(source.length),
  );
  return count === source.length
    ? undefined
    : `process_vm_readv() is refused (${errnoText(count)})`;
}

/** Settings that forbid namespaces, and the value that does. */
const FORBIDDING: readonly (readonly [name: string, value: string])[] = [
  ["kernel/apparmor_restrict_unprivileged_userns", "1"],
  ["kernel/unprivileged_userns_clone", "0"],
  ["user/max_user_namespaces", "0"],
];

function namespaceProblem(): string | undefined {
  const nothing = { writable: [], pinned: [], readOnly: [] };
  const child = cloneAndRun([
    ...namespaceSteps(nothing),
    { call: "exit_group", args: [0] },
  ], { namespaces: namespaceFlags(), waits: true, keep: [] });
  if (typeof child !== "number") {
    waitForEnd(child.pid);
    if (child.failure() === undefined) return undefined;
  }
  const setting = FORBIDDING.find(([name, value]) => sysctl(name) === value);
  if (setting) return `${setting[0].replaceAll("/", ".")} is ${setting[1]}`;
  const [call, result] = typeof child === "number"
    ? ["clone", child] as const
    : [child.failure()!.step.call, child.failure()!.result] as const;
  return `${call}() is refused in a new namespace (${errnoText(result)})`;
}

function sysctl(name: string): string | undefined {
  return readText(`/proc/sys/${name}`)?.trim();
}
