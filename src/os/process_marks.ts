/** What ties processes of Linux together: who dies with whom, and a mark that is inherited. */
import { ARCHITECTURE } from "./architecture.ts";
import { CallList, placeOf } from "./call_list.ts";
import type { Step } from "./clone.ts";
import { readBytes, readDir } from "./fs.ts";
import { syscall } from "./syscall.ts";
import { syscallNumber } from "./syscall_numbers.ts";

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const RLIMIT_LOCKS = 10;

/** Has the process killed when the thread that started it ends. */
export function dieWithParentStep(): Step {
  return { call: "prctl", args: [PR_SET_PDEATHSIG, SIGKILL] };
}

/**
 * Marks the process and everything it will start with a number, as the limit of file locks, which Linux has not used since
 * 2.4: it can be read of every process.
 */
export function markStep(mark: number): Step {
  const limits = new BigUint64Array([BigInt(mark), BigInt(mark)]);
  return {
    call: "setrlimit",
    args: [RLIMIT_LOCKS, new Uint8Array(limits.buffer)],
  };
}

/** The mark of a process; undefined when it has none or is gone. */
export function markOf(pid: number): number | undefined {
  return markIn(readBytes(`/proc/${pid}/limits`));
}

/** Those of the processes that have one of these marks. */
export function withMarks(
  pids: readonly number[],
  marks: readonly number[],
): number[] {
  const found = readLimits(pids);
  return pids.filter((pid, i) => {
    const limit = found?.(i) ?? markOf(pid);
    return limit !== undefined && marks.includes(limit);
  });
}

/** What their limits of file locks are: asking takes a tenth of the time that reading about them takes. Undefined where that cannot be done. */
function readLimits(
  pids: readonly number[],
): ((index: number) => number | undefined) | undefined {
  const call = syscallNumber("prlimit64", ARCHITECTURE);
  if (call === undefined) return undefined;
  const limits = new BigUint64Array(2 * pids.length);
  const into = placeOf(new Uint8Array(limits.buffer));
  const list = new CallList(pids.length);
  for (const [i, pid] of pids.entries()) {
    list.mayFail(list.add(call, [pid, RLIMIT_LOCKS, 0, into + 16 * i]));
  }
  if (list.run() === undefined) return undefined;
  return (i) => {
    const [soft, hard] = [limits[2 * i], limits[2 * i + 1]];
    return list.result(i) === 0 && soft === hard ? Number(soft) : undefined;
  };
}

/** The mark in what the system says of a process's limits. */
export function markIn(
  bytes: Uint8Array<ArrayBuffer> | undefined,
): number | undefined {
  const text = bytes && new TextDecoder("latin1").decode(bytes);
  const match = text && /^Max file locks +(\d+) +\1 /m.exec(text);
  return match ? Number(match[1]) : undefined;
}

/** Waits until a child of ours that is about to end has ended. Returns its wait status, or the negative errno. */
export function waitForEnd(pid: number): number {
  const status = new Int32Array(1);
  const found = syscall("wait4", pid, new Uint8Array(status.buffer), 0, 0);
  return found < 0 ? found : status[0]!;
}

/** Whether a child of ours has ended; then nobody has to wait for it any more. */
export function hasEnded(pid: number): boolean {
  const WNOHANG = 1;
  return syscall("wait4", pid, 0, WNOHANG, 0) !== 0;
}

/** The children of this process, also those that it has adopted. */
export function ownChildren(): number[] {
  const self = `/proc/${Deno.pid}/task`;
  const lists = (readDir(self) ?? []).map(({ name }) =>
    readBytes(`${self}/${name}/children`) ?? new Uint8Array()
  );
  return lists.flatMap((bytes) =>
    new TextDecoder().decode(bytes).split(" ").map(Number).filter((pid) =>
      pid > 0
    )
  );
}
