/** What ties processes of Linux together: who dies with whom, who adopts whom, and a mark that is inherited. */
import { readBytes } from "./fs.ts";
import { syscall } from "./syscall.ts";

const PR_SET_PDEATHSIG = 1;
const PR_SET_CHILD_SUBREAPER = 36;
const SIGKILL = 9;
const RLIMIT_LOCKS = 10;

/** Has this process killed when the thread that started it ends. Returns 0 or the negative errno. */
export function dieWithParent(): number {
  return syscall("prctl", PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/** Makes this process the parent of those below it that lose theirs. Returns 0 or the negative errno. */
export function adoptOrphans(): number {
  return syscall("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/**
 * Marks this process and everything it will start with a number, as the limit of file locks, which Linux has not used since
 * 2.4: it can be read of every process. Returns 0 or the negative errno.
 */
export function setMark(mark: number): number {
  const limits = new BigUint64Array([BigInt(mark), BigInt(mark)]);
  return syscall("setrlimit", RLIMIT_LOCKS, new Uint8Array(limits.buffer));
}

/** The mark of a process; undefined when it has none or is gone. */
export function markOf(pid: number): number | undefined {
  const bytes = readBytes(`/proc/${pid}/limits`);
  const text = bytes && new TextDecoder("latin1").decode(bytes);
  const match = text && /^Max file locks +(\d+) +\1 /m.exec(text);
  return match ? Number(match[1]) : undefined;
}
