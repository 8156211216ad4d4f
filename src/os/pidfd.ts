/** What one may take from another process of Linux, when the kernel lets it: memory, and copies of descriptors. */
import { readBytes, readDir } from "./fs.ts";
import { addressOf, ERRNO, syscall } from "./syscall.ts";

const PIDFD_THREAD = 0o200;

/** Reads memory of another process into `into`. Returns the number of bytes, or the negative errno. */
export function readMemory(
  pid: number,
  address: bigint,
  into: Uint8Array<ArrayBuffer>,
): number {
  const size = BigInt(into.length);
  const local = bytesOf([addressOf(into), size]);
  const remote = bytesOf([address, size]);
  const count = syscall("process_vm_readv", pid, local, 1, remote, 1, 0);
  // `into` is read here, so it lived until now.
  return Math.min(count, into.length);
}

function bytesOf(words: readonly bigint[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new BigUint64Array(words).buffer);
}

/**
 * A copy of descriptor `fd` of the process that the thread `tid` belongs to. Returns our descriptor, which the caller
 * closes, or the negative errno.
 */
export function takeDescriptor(tid: number, fd: number): number {
  const pidfd = openThread(tid);
  if (pidfd < 0) return pidfd;
  const copy = syscall("pidfd_getfd", pidfd, fd, 0);
  syscall("close", pidfd);
  return copy;
}

function openThread(tid: number): number {
  const found = syscall("pidfd_open", tid, PIDFD_THREAD);
  if (found !== -ERRNO.EINVAL) return found;
  // Linux before 6.9 opens leaders of a process only.
  const leader = threadGroup(tid);
  return leader === undefined ? -ERRNO.ESRCH : syscall("pidfd_open", leader, 0);
}

/** The process that a thread belongs to; undefined when there is none. */
export function threadGroup(tid: number): number | undefined {
  const bytes = readBytes(`/proc/${tid}/status`);
  const text = bytes && new TextDecoder("latin1").decode(bytes);
  const match = text && /^Tgid:\s+(\d+)$/m.exec(text);
  return match ? Number(match[1]) : undefined;
}

/** A descriptor for a process, which the caller closes, or the negative errno. */
export function openProcess(pid: number): number {
  return syscall("pidfd_open", pid, 0);
}

/** Sends a signal to the process that `pidfd` stands for. Returns 0 or the negative errno. */
export function signalProcess(pidfd: number, signal: number): number {
  return syscall("pidfd_send_signal", pidfd, signal, 0, 0);
}

/** The process that `pidfd` stands for; undefined when it stands for none that lives. */
export function processOfPidfd(pidfd: number): number | undefined {
  const bytes = readBytes(`/proc/self/fdinfo/${pidfd}`);
  const text = bytes && new TextDecoder("latin1").decode(bytes);
  const match = text && /^Pid:\s+(\d+)$/m.exec(text);
  return match && Number(match[1]) > 0 ? Number(match[1]) : undefined;
}

/** The process group of a process; undefined when there is no such process. */
export function processGroup(pid: number): number | undefined {
  const group = syscall("getpgid", pid);
  return group < 0 ? undefined : group;
}

/** All processes that can be seen. */
export function processIds(): number[] {
  return (readDir("/proc") ?? []).map(({ name }) => Number(name))
    .filter((pid) => Number.isInteger(pid) && pid > 0);
}
