/** An enforcement as system calls, in the order in which they have to be made. */
import { dropCapabilitySteps, readCapabilities } from "../os/capabilities.ts";
import type { Step } from "../os/clone.ts";
import { closeAllOnExecStep, closeDescriptor } from "../os/fds.ts";
import { allowPaths, createRuleset, restrictStep } from "../os/landlock.ts";
import { dieWithParentStep, markStep } from "../os/process_marks.ts";
import {
  filterStep,
  listenerStep,
  noNewPrivilegesStep,
} from "../os/seccomp.ts";
import { sendDescriptorStep } from "../os/socket_pair.ts";
import { ERRNO, errnoText } from "../os/syscall.ts";
import { quote } from "../base/text.ts";
import { assemble, encode } from "./bpf.ts";
import { unenforced } from "./exec_plan.ts";
import type { Enforcement } from "./exec_types.ts";
import type { LandlockRules } from "./landlock.ts";
import { namespaceSteps } from "./mounts_steps.ts";
import { seccompFilter } from "./seccomp.ts";

/** What a child of a supervisor is given besides. */
export interface ChildParts {
  /** Inherited by everything that it starts. */
  readonly mark: number;
  /** Where the listener is sent to; only looked at when something is mediated. */
  readonly socket: number | undefined;
}

/** What was opened for the steps. Closed by {@link Confinement.close}, after them. */
export interface Confinement {
  readonly steps: readonly Step[];
  /** Memory that the steps point to. */
  readonly keep: unknown;
  close(): void;
}

/**
 * Prepares confining a process: after the steps it is confined for good, and can become a program. Throws
 * `SANDBOX_UNENFORCED` when something granted has been replaced since the policy was made.
 */
export function prepareConfinement(
  enforcement: Enforcement,
  child: ChildParts | undefined,
): Confinement {
  const { landlock, seccomp, mounts } = enforcement;
  const program = encode(assemble(seccompFilter(seccomp)));
  const ruleset = openRuleset(landlock);
  // In a user namespace of its own the child has every capability.
  const canDrop = mounts !== undefined || readCapabilities().canDrop;
  const filter = enforcement.mediation === undefined
    ? [filterStep(program)]
    : listenerSteps(program, child);
  const steps = [
    ...(child ? [dieWithParentStep(), markStep(child.mark)] : []),
    ...(mounts ? namespaceSteps(mounts) : []),
    noNewPrivilegesStep(),
    ...dropCapabilitySteps({ canDrop }),
    restrictStep(ruleset),
    // Before the filter and not after: it is the last thing that may fail for a reason of the kernel's.
    closeAllOnExecStep(),
    ...filter,
  ];
  return { steps, keep: program, close: () => closeDescriptor(ruleset) };
}

function listenerSteps(
  program: Uint8Array<ArrayBuffer>,
  child: ChildParts | undefined,
): Step[] {
  if (child?.socket === undefined) throw unenforced("nothing supervises it");
  const { step, slot } = sendDescriptorStep(child.socket);
  return [listenerStep(program, { writesTo: slot }), step];
}

/** What is gone, or may not be looked at, is not granted; what is something else than it was is a trap. */
function openRuleset(rules: LandlockRules): number {
  const ruleset = createRuleset(rules);
  if (ruleset < 0) {
    throw unenforced(`Landlock refuses its rules (${errnoText(ruleset)})`);
  }
  const paths = rules.paths.map(({ path, kind, access }) => ({
    path,
    isDirectory: kind === "directory",
    access,
  }));
  const skips = [-ERRNO.ENOENT, -ERRNO.EACCES];
  const failed = allowPaths(ruleset, paths, { skips });
  if (failed === undefined) return ruleset;
  closeDescriptor(ruleset);
  const { rule: { path }, problem } = failed;
  throw unenforced(
    problem === "directory"
      ? `${quote(path)} has been replaced by a directory`
      : `${quote(path)} has been replaced (${errnoText(problem)})`,
  );
}
