/** Numbers of the few system calls that a launch makes itself: the whole table is not loaded then. */
import { ARCHITECTURE } from "./architecture.ts";
import type { SyscallName } from "./syscall_numbers.ts";

const X86_64 = {
  capget: 125,
  capset: 126,
  chdir: 80,
  close: 3,
  close_range: 436,
  dup3: 292,
  execve: 59,
  fchmod: 91,
  fcntl: 72,
  flock: 73,
  getdents64: 217,
  geteuid: 107,
  inotify_add_watch: 254,
  inotify_init1: 294,
  kill: 62,
  landlock_add_rule: 445,
  landlock_create_ruleset: 444,
  landlock_restrict_self: 446,
  mmap: 9,
  mprotect: 10,
  munmap: 11,
  openat: 257,
  openat2: 437,
  pidfd_open: 434,
  pipe2: 293,
  ppoll: 271,
  prctl: 157,
  read: 0,
  readlinkat: 267,
  rt_sigaction: 13,
  rt_sigprocmask: 14,
  seccomp: 317,
  setrlimit: 160,
  setsid: 112,
  statx: 332,
  uname: 63,
  wait4: 61,
} as const;

/** By name, for x86_64 and aarch64. */
export const CALL_NUMBERS: Readonly<
  Record<"x86_64" | "aarch64", Readonly<Record<keyof typeof X86_64, number>>>
> = {
  ["x86_64"]: X86_64,
  aarch64: {
    capget: 90,
    capset: 91,
    chdir: 49,
    close: 57,
    close_range: 436,
    dup3: 24,
    execve: 221,
    fchmod: 52,
    fcntl: 25,
    flock: 32,
    getdents64: 61,
    geteuid: 175,
    inotify_add_watch: 27,
    inotify_init1: 26,
    kill: 129,
    landlock_add_rule: 445,
    landlock_create_ruleset: 444,
    landlock_restrict_self: 446,
    mmap: 222,
    mprotect: 226,
    munmap: 215,
    openat: 56,
    openat2: 437,
    pidfd_open: 434,
    pipe2: 59,
    ppoll: 73,
    prctl: 167,
    read: 63,
    readlinkat: 78,
    rt_sigaction: 134,
    rt_sigprocmask: 135,
    seccomp: 277,
    setrlimit: 164,
    setsid: 157,
    statx: 291,
    uname: 160,
    wait4: 260,
  },
};

/** Those of this machine. */
export const CALL = CALL_NUMBERS[ARCHITECTURE] satisfies Readonly<
  Partial<Record<SyscallName, number>>
>;
