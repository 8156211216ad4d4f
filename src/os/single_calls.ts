/** Single system calls of a launch, by the small table of numbers. Linux. */
import { CallList, placeOf } from "./call_list.ts";
import { CALL } from "./call_numbers.ts";

const RLIMIT_LOCKS = 10;
const HALF = 2 ** 32;

/** Closes a descriptor. */
export function closeAtOnce(fd: number): void {
  make(CALL.close, [fd]);
}

/** A descriptor for a process, which the caller closes, or the negative errno. */
export function processDescriptor(pid: number): number {
  return make(CALL.pidfd_open, [pid, 0]);
}

/** Marks this process as `markStep` of process_marks.ts does. Returns 0 or the negative errno. */
export function markThis(mark: number): number {
  const limits = new Int32Array([mark, mark / HALF, mark, mark / HALF]);
  return make(CALL.setrlimit, [
    ...[RLIMIT_LOCKS, placeOf(new Uint8Array(limits.buffer))],
  ]);
}

function make(call: number, args: readonly number[]): number {
  const list = new CallList(1);
  list.add(call, args);
  return list.run() === undefined ? -1 : list.result(0);
}
