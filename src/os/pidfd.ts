/** What one may take from another process of Linux, when the kernel lets it: memory, and copies of descriptors. */
import { readBytes } from "./fs.ts";
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
