/** An enforcement as system calls, in the order in which they have to be made. */
import { dropCapabilitySteps, readCapabilities } from "../os/capabilities.ts";
import type { Step } from "../os/clone.ts";
import { closeAllOnExecStep, closeDescriptor } from "../os/fds.ts";
import { allowPaths, createRuleset, restrictStep } from "../os/landlock.ts";
import { noNewPrivilegesStep } from "../os/seccomp.ts";
import { ERRNO, errnoText } from "../os/syscall.ts";
import { quote } from "../base/text.ts";
import { unenforced } from "./exec_error.ts";
import type { Enforcement } from "./exec_types.ts";
import type { LandlockRules } from "./landlock.ts";

/** What was opened for the steps. Closed by {@link Confinement.close}, after them. */
export interface Confinement {
  readonly steps: readonly Step[];
  /** Memory that the steps point to. */
  readonly keep: unknown;
  close(): void;
}

/** What comes before and after the part that is the same for all. */
export interface OtherSteps {
  /** Of a child alone. */
  readonly first: readonly Step[];
  /** The seccomp filter, and what is done with its listener. */
  readonly filter: readonly Step[];
  /** Memory that they point to. */
  readonly keep: unknown;
}

/**
 * The steps that confine a process for good; then it can become a program. Throws `SANDBOX_UNENFORCED` when something
 * granted has been replaced since the policy was made.
 */
export function confine(
  { landlock, mounts, logs }: Pick<
    Enforcement,
    "landlock" | "mounts" | "logs"
  >,
  { first, filter, keep }: OtherSteps,
): Confinement {
  const ruleset = openRuleset(landlock);
  // In a user namespace of its own the child has every capability.
  const canDrop = mounts !== undefined || readCapabilities().canDrop;
  const steps = [
    ...first,
    noNewPrivilegesStep(),
    ...dropCapabilitySteps({ canDrop }),
    restrictStep(ruleset, { logs }),
    // Before the filter and not after: it is the last thing that may fail for a reason of the kernel's.
    closeAllOnExecStep(),
    ...filter,
  ];
  return { steps, keep, close: () => closeDescriptor(ruleset) };
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
