/** Signals that confined processes send where the kernel itself does not keep them inside (before Linux 6.12). */
import { closeDescriptor } from "../os/fds.ts";
import {
  openProcess,
  processGroup,
  processIds,
  processOfPidfd,
  signalProcess,
  takeDescriptor,
  threadGroup,
} from "../os/pidfd.ts";
import { markOf } from "../os/process_marks.ts";
import type { Notification } from "../os/seccomp_notify.ts";
import { ARCHITECTURE, ERRNO } from "../os/syscall.ts";
import { type SyscallName, syscallNumber } from "../os/syscall_numbers.ts";

/** The calls that send signals. */
export const SIGNAL_CALLS = [
  "kill",
  "tkill",
  "tgkill",
  "rt_sigqueueinfo",
  "rt_tgsigqueueinfo",
  "pidfd_send_signal",
] as const satisfies readonly SyscallName[];

/** What an answer depends on. */
export interface SignalContext {
  /** What processes inside carry. */
  readonly mark: number;
  /** Whether the call still waits, so that what was read belongs to its process. */
  isWaiting(): boolean;
}

/** What the caller is told: 0 or a negative errno; that the kernel may do it as it is; nothing, since it is gone. */
export type SignalAnswer = number | "let through" | "gone";

/** Sends a signal for a process if it is for one inside. */
export function answerSignal(
  { tid, number, args }: Notification,
  context: SignalContext,
): SignalAnswer {
  const call = SIGNAL_CALLS.find((name) =>
    syscallNumber(name, ARCHITECTURE) === number
  );
  const self = threadGroup(tid);
  if (self === undefined || !context.isWaiting()) return "gone";
  const [first, second, third] = args.slice(0, 3).map((argument) =>
    Number(BigInt.asIntN(32, argument))
  ) as [number, number, number];
  switch (call) {
    case "kill":
      return answerKill({ self, target: first, signal: second }, context);
    case "tgkill":
    case "rt_tgsigqueueinfo":
      // Threads of its own are told apart by the kernel, from registers.
      return first === self ? "let through" : send(first, third, context);
    case "tkill":
      return threadGroup(first) === self
        ? "let through"
        : send(threadGroup(first) ?? 0, second, context);
    case "rt_sigqueueinfo":
      return first === self ? "let through" : send(first, second, context);
    case "pidfd_send_signal":
      return answerPidfd({ tid, fd: first, signal: second }, context);
    default:
      return -ERRNO.ENOSYS;
  }
}

interface Kill {
  readonly self: number;
  readonly target: number;
  readonly signal: number;
}

function answerKill(
  { self, target, signal }: Kill,
  context: SignalContext,
): SignalAnswer {
  if (target === self) return "let through";
  if (target > 0) return send(target, signal, context);
  const group = target === 0 ? processGroup(self) : -target;
  // All processes but itself, or all of a group.
  const targets = target === -1
    ? processIds().filter((pid) => pid !== self)
    : processIds().filter((pid) => processGroup(pid) === group);
  const results = targets.map((pid) => send(pid, signal, context));
  if (results.includes(0)) return 0;
  return results.length > 0 ? -ERRNO.EPERM : -ERRNO.ESRCH;
}

function answerPidfd(
  { tid, fd, signal }: { tid: number; fd: number; signal: number },
  context: SignalContext,
): number {
  const pidfd = takeDescriptor(tid, fd);
  if (pidfd < 0) return -ERRNO.EBADF;
  const pid = processOfPidfd(pidfd);
  const isInside = pid !== undefined && markOf(pid) === context.mark;
  const result = isInside ? signalProcess(pidfd, signal) : -ERRNO.EPERM;
  closeDescriptor(pidfd);
  return result;
}

/** Opened first and looked at then: what has the number later is not meant. */
function send(
  pid: number,
  signal: number,
  { mark }: SignalContext,
): number {
  const pidfd = openProcess(pid);
  if (pidfd < 0) return -ERRNO.ESRCH;
  const isInside = markOf(pid) === mark;
  const result = isInside ? signalProcess(pidfd, signal) : -ERRNO.EPERM;
  closeDescriptor(pidfd);
  return result;
}
