/** Filters for system calls that a thread of Linux puts on itself. */
import { addressOf, syscall } from "./syscall.ts";

const PR_SET_NO_NEW_PRIVS = 38;
const SET_MODE_FILTER = 1;
const GET_ACTION_AVAIL = 2;
const FLAG_NEW_LISTENER = 8;
const INSTRUCTION_BYTES = 8;

/** Makes sure that no program started from now on gets rights from set-id bits or file capabilities. Returns 0 or the negative errno. */
export function giveUpNewPrivileges(): number {
  return syscall("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/**
 * Puts a BPF program on the calling thread, for good. Needs no_new_privs. Returns 0, with `listener` the descriptor from which
 * the notified calls can be received, or the negative errno; `-EBUSY` when an outer filter has a listener already.
 */
export function installFilter(
  program: Uint8Array<ArrayBuffer>,
  options: { listener: boolean },
): number {
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  view.setUint16(0, program.length / INSTRUCTION_BYTES, true);
  view.setBigUint64(8, addressOf(program), true);
  const flags = options.listener ? FLAG_NEW_LISTENER : 0;
  return syscall("seccomp", SET_MODE_FILTER, flags, header, program);
}

/** Whether the kernel can answer a filter in this way; actions are those of linux/seccomp.h. */
export function hasAction(action: number): boolean {
  const bytes = new Uint8Array(new Uint32Array([action]).buffer);
  return syscall("seccomp", GET_ACTION_AVAIL, 0, bytes) === 0;
}
