/** Files that show by a lock on them whether somebody still sees to them. The lock goes with the descriptor: from program to program. Linux. */
import { cString } from "./libc.ts";
import { ERRNO, syscall } from "./syscall.ts";

const HERE = -100;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_CLOEXEC = 0o2000000;
const LOCK_EX = 2;
const LOCK_NB = 4;
const OWNER_ONLY = 0o600;

/** Makes a file, which must not exist, with a lock on it. Returns the descriptor, or the negative errno. */
export function makeHeld(path: string, text: string): number {
  if (Deno.build.os !== "linux") return -ERRNO.ENOSYS;
  const flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
  const fd = syscall("openat", HERE, cString(path), flags, OWNER_ONLY);
  if (fd < 0) return fd;
  const bytes = new TextEncoder().encode(text);
  const problems = [
    syscall("fchmod", fd, OWNER_ONLY),
    syscall("flock", fd, LOCK_EX | LOCK_NB),
    ...(text === ""
      ? []
      : [syscall("write", fd, bytes, bytes.length) - bytes.length]),
  ];
  if (problems.every((result) => result === 0)) return fd;
  syscall("close", fd);
  return -ERRNO.EBUSY;
}
