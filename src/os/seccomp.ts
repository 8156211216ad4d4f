/** Filters for system calls that a thread of Linux puts on itself. */
import type { Step } from "./clone.ts";
import { addressOf, syscall } from "./syscall.ts";

const PR_SET_NO_NEW_PRIVS = 38;
const SET_MODE_FILTER = 1;
const GET_ACTION_AVAIL = 2;
const FLAG_NEW_LISTENER = 8;
const INSTRUCTION_BYTES = 8;

/** Makes sure that no program started from now on gets rights from set-id bits or file capabilities. */
export function noNewPrivilegesStep(): Step {
  return { call: "prctl", args: [PR_SET_NO_NEW_PRIVS, 1] };
}

/** Puts a BPF program on the thread, for good. Needs no_new_privs. */
export function filterStep(program: Uint8Array<ArrayBuffer>): Step {
  return { call: "seccomp", args: filterArguments(program, 0) };
}

/**
 * The same with a listener, from which the calls that the program asks about can be received: its descriptor is the result,
 * also written to `writesTo`. Fails with EBUSY when an outer filter has a listener already.
 */
export function listenerStep(
  program: Uint8Array<ArrayBuffer>,
  { writesTo }: { writesTo: bigint },
): Step {
  const args = filterArguments(program, FLAG_NEW_LISTENER);
  return { call: "seccomp", args, writesTo };
}

function filterArguments(
  program: Uint8Array<ArrayBuffer>,
  flags: number,
): Step["args"] {
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  view.setUint16(0, program.length / INSTRUCTION_BYTES, true);
  view.setBigUint64(8, addressOf(program), true);
  return [SET_MODE_FILTER, flags, header, program];
}

/** Whether the kernel can answer a filter in this way; actions are those of linux/seccomp.h. */
export function hasAction(action: number): boolean {
  const bytes = new Uint8Array(new Uint32Array([action]).buffer);
  return syscall("seccomp", GET_ACTION_AVAIL, 0, bytes) === 0;
}
