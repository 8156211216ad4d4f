/** Confining a process, from its enforcement alone. */
import type { Step } from "../os/clone.ts";
import { dieWithParentStep, markStep } from "../os/process_marks.ts";
import { filterStep, listenerStep } from "../os/seccomp.ts";
import { sendDescriptorStep } from "../os/socket_pair.ts";
import { assemble, encode } from "./bpf.ts";
import { confine, type Confinement } from "./exec_confine.ts";
import { unenforced } from "./exec_error.ts";
import type { Enforcement } from "./exec_types.ts";
import { namespaceSteps } from "./mounts_steps.ts";
import { seccompFilter } from "./seccomp.ts";

export type { Confinement };

/** What a child of a supervisor is given besides. */
export interface ChildParts {
  /** Inherited by everything that it starts. */
  readonly mark: number;
  /** Where the listener is sent to; only looked at when something is mediated. */
  readonly socket: number | undefined;
}

/** The seccomp program of an enforcement, as the kernel takes it. */
export function filterProgram(
  { seccomp }: Pick<Enforcement, "seccomp">,
): Uint8Array<ArrayBuffer> {
  return encode(assemble(seccompFilter(seccomp)));
}

/**
 * Prepares confining a process: after the steps it is confined for good, and can become a program. Throws
 * `SANDBOX_UNENFORCED` when something granted has been replaced since the policy was made.
 */
export function prepareConfinement(
  enforcement: Enforcement,
  child: ChildParts | undefined,
): Confinement {
  const { mounts, mediation } = enforcement;
  const program = filterProgram(enforcement);
  return confine(enforcement, {
    first: [
      ...(child ? [dieWithParentStep(), markStep(child.mark)] : []),
      ...(mounts ? namespaceSteps(mounts) : []),
    ],
    filter: mediation === undefined
      ? [filterStep(program)]
      : listenerSteps(program, child),
    keep: program,
  });
}

function listenerSteps(
  program: Uint8Array<ArrayBuffer>,
  child: ChildParts | undefined,
): Step[] {
  if (child?.socket === undefined) throw unenforced("nothing supervises it");
  const { step, slot } = sendDescriptorStep(child.socket);
  return [listenerStep(program, { writesTo: slot }), step];
}
