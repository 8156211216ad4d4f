/** Numbers of the few system calls that a launch makes itself: the whole table is not loaded then. */
import { ARCHITECTURE } from "./architecture.ts";
import type { SyscallName } from "./syscall_numbers.ts";

const X86_64 = {
  capget: 125,
  capset: 126,
  close: 3,
  close_range: 436,
  fchmod: 91,
  flock: 73,
  getdents64: 217,
  geteuid: 107,
  landlock_add_rule: 445,
  landlock_create_ruleset: 444,
  landlock_restrict_self: 446,
  mmap: 9,
  mprotect: 10,
  openat: 257,
  openat2: 437,
  prctl: 157,
  read: 0,
  readlinkat: 267,
  seccomp: 317,
  statx: 332,
  uname: 63,
} as const;

/** By name, for x86_64 and aarch64. */
export const CALL_NUMBERS: Readonly<
  Record<"x86_64" | "aarch64", Readonly<Record<keyof typeof X86_64, number>>>
> = {
  ["x86_64"]: X86_64,
  aarch64: {
    capget: 90,
    capset: 91,
    close: 57,
    close_range: 436,
    fchmod: 52,
    flock: 32,
    getdents64: 61,
    geteuid: 175,
    landlock_add_rule: 445,
    landlock_create_ruleset: 444,
    landlock_restrict_self: 446,
    mmap: 222,
    mprotect: 226,
    openat: 56,
    openat2: 437,
    prctl: 167,
    read: 63,
    readlinkat: 78,
    seccomp: 277,
    statx: 291,
    uname: 160,
  },
};

/** Those of this machine. */
export const CALL = CALL_NUMBERS[ARCHITECTURE] satisfies Readonly<
  Partial<Record<SyscallName, number>>
>;
