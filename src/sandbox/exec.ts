/** Running a program confined, as a child of ours. */
import {
  cloneAndRun,
  executeStep,
  signalSteps,
  type Step,
} from "../os/clone.ts";
import { closeDescriptor } from "../os/fds.ts";
import { type Program, startFailure } from "../os/exec.ts";
import { waitForEnd } from "../os/process_marks.ts";
import { receiveDescriptor, socketPair } from "../os/socket_pair.ts";
import { errnoText } from "../os/syscall.ts";
import { unenforced } from "./exec_error.ts";
import { stepFailure } from "./exec_become.ts";
import { prepareConfinement } from "./exec_steps.ts";
import type { Enforcement } from "./exec_types.ts";
import { namespaceFlags } from "./mounts_steps.ts";

/** How a confined child is started. */
export interface ChildOptions {
  /** Descriptors for its standard input, output and error; ours unless given. */
  readonly stdio?: readonly [number, number, number] | undefined;
  /** In a session and process group of its own. */
  readonly ownSession?: boolean | undefined;
  /** What tells its processes from others: a number that only this supervisor uses. */
  readonly mark: number;
}

/** A confined program that runs. */
export interface ConfinedChild {
  readonly pid: number;
  /** Where its calls are asked about, for a mediator; closed by who takes it. Undefined when nothing is mediated. */
  readonly listener: number | undefined;
}

/**
 * Starts a program confined, as a child that ends when this thread does. Throws `SANDBOX_UNENFORCED`, or
 * `AGENT_NOT_STARTED` when the program cannot be run; then nothing runs.
 */
export function startConfined(
  enforcement: Enforcement,
  program: Program,
  options: ChildOptions,
): ConfinedChild {
  const ends = enforcement.mediation ? openPair() : undefined;
  try {
    const pid = start(enforcement, program, { ...options, socket: ends?.[1] });
    if (ends === undefined) return { pid, listener: undefined };
    const listener = receiveDescriptor(ends[0]);
    if (listener < 0) {
      // It got past the step that sends it, so this does not happen; its connects fail all the same.
      throw unenforced(`there is no listener (${errnoText(listener)})`);
    }
    return { pid, listener };
  } finally {
    ends?.forEach(closeDescriptor);
  }
}

function openPair(): readonly [number, number] {
  const ends = socketPair();
  if (typeof ends !== "number") return ends;
  throw unenforced(`there are no sockets (${errnoText(ends)})`);
}

function start(
  enforcement: Enforcement,
  program: Program,
  options: ChildOptions & { readonly socket: number | undefined },
): number {
  const confinement = prepareConfinement(enforcement, options);
  const execute = executeStep(program);
  const child = cloneAndRun([
    ...stdioSteps(options.stdio ?? []),
    ...(options.ownSession ? [{ call: "setsid", args: [] } as const] : []),
    ...confinement.steps,
    ...signalSteps(),
    execute.step,
  ], {
    ...(enforcement.mounts ? { namespaces: namespaceFlags() } : {}),
    waits: true,
    keep: [confinement.keep, execute.keep],
  });
  confinement.close();
  if (typeof child === "number") {
    throw unenforced(`no process can be started (${errnoText(child)})`);
  }
  const failed = child.failure();
  if (failed === undefined) return child.pid;
  waitForEnd(child.pid);
  throw failed.step === execute.step
    ? startFailure(program.path, -failed.result)
    : stepFailure(failed);
}

/** Puts descriptors where a program expects them; each is inherited there. */
function stdioSteps(stdio: readonly number[]): Step[] {
  const F_SETFD = 2;
  return stdio.map((fd, target) =>
    fd === target
      ? { call: "fcntl", args: [fd, F_SETFD, 0] }
      : { call: "dup3", args: [fd, target, 0] }
  );
}
