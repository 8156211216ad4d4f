/** Becoming a program, confined. */
import type { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import { runHere, type Step } from "../os/clone.ts";
import { becomeProgram, type Program } from "../os/exec.ts";
import { filterStep } from "../os/seccomp.ts";
import { ERRNO, errnoText } from "../os/syscall.ts";
import { confine } from "./exec_confine.ts";
import { unenforced } from "./exec_error.ts";
import type { ReadyEnforcement } from "./policy_memo.ts";

/**
 * Confines this process for good and becomes the program. Returns only by throwing: `SANDBOX_UNENFORCED`, or
 * `AGENT_NOT_STARTED` when the program cannot be run; this process may then be confined already.
 */
export function becomeConfined(
  { enforcement, filter }: Pick<ReadyEnforcement, "enforcement" | "filter">,
  program: Program,
): never {
  if (enforcement.mediation !== undefined || enforcement.mounts !== undefined) {
    throw unenforced("nothing supervises it");
  }
  const confinement = confine(enforcement, {
    ...{ first: [], keep: filter },
    filter: [filterStep(filter)],
  });
  const failed = runHere(confinement.steps, { keep: confinement.keep });
  if (failed) throw stepFailure(failed);
  becomeProgram(program);
}

/** The error for a step that the system refused. */
export function stepFailure(
  { step, result }: { readonly step: Step; readonly result: number },
): AppError {
  if (step.call === "seccomp" && result === -ERRNO.EBUSY) {
    return unenforced("this already runs in a sandbox with a supervisor");
  }
  return unenforced(
    `the system refuses ${quote(step.call)} (${errnoText(result)})`,
  );
}
