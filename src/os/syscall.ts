/** System calls of Linux by number: what neither Deno nor the C library's usual functions offer. */
import { CallList, placeOf } from "./call_list.ts";
import { ARCHITECTURE } from "./architecture.ts";
import { type SyscallName, syscallNumber } from "./syscall_numbers.ts";

let list: CallList | undefined;
/** What the last call was given: the garbage collector must not take memory that the kernel is at. */
let held: readonly SyscallArgument[] = [];

export { ARCHITECTURE };

/** Errors of system calls by name; the same on both machines. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EBADF: 9,
  EAGAIN: 11,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENOTDIR: 20,
  EINVAL: 22,
  ENOTTY: 25,
  EROFS: 30,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ELOOP: 40,
  ENOTSOCK: 88,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EISCONN: 106,
  ECONNREFUSED: 111,
  EALREADY: 114,
  EINPROGRESS: 115,
} as const;

/** One of {@link ERRNO}. */
export type ErrnoName = keyof typeof ERRNO;

/** An argument of a system call: a number, or memory that the call reads or fills. */
export type SyscallArgument = number | bigint | Uint8Array<ArrayBuffer>;

/**
 * Makes a system call and returns its result, or the negative errno: `-2` for ENOENT. Only on Linux. The memory given is
 * kept until the call has returned; what that memory points to is given as one more argument, which the kernel ignores.
 */
export function syscall(
  name: SyscallName,
  ...args: SyscallArgument[]
): number {
  const number = syscallNumber(name, ARCHITECTURE);
  if (number === undefined) return -ERRNO.ENOSYS;
  held = args;
  list ??= new CallList(1);
  list.clear();
  list.mayFail(list.add(number, args.map(word)));
  // Straight from the kernel: errno, which others may change, is not asked.
  const done = list.run() === undefined ? -ERRNO.EPERM : list.wide(0);
  return held === args ? done : -ERRNO.EFAULT;
}

function word(value: SyscallArgument): number {
  return value instanceof Uint8Array ? placeOf(value) : Number(value);
}

/** Where memory lies, for a structure that points to it. The memory must be kept while that structure is used. */
export function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}

/** The name of a negative result of {@link syscall}, for messages: `EPERM`, or `error 71`. */
export function errnoText(result: number): string {
  const found = Object.entries(ERRNO).find(([, code]) => code === -result);
  return found ? found[0] : `error ${-result}`;
}
