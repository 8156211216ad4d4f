/** Which system calls a confined process may make: the filter as a tree, from what the policy asks for and the kernel has. */
import {
  type Architecture,
  NEWEST_SYSCALL,
  type SyscallName,
  syscallNumber,
} from "../os/syscall_numbers.ts";
import type { Filter, Verdict } from "./bpf.ts";
import {
  asksMediator,
  type CallRule,
  type SeccompNeeds,
} from "./seccomp_needs.ts";
import { networkCalls } from "./seccomp_network.ts";

/** Audit numbers of the two machines. */
const AUDIT_ARCH: Readonly<Record<Architecture, number>> = {
  ["x86_64"]: 0xc000003e,
  aarch64: 0xc00000b7,
};
const CLONE_NEWNS = 0x00020000;
const CLONE_NEWTIME = 0x80;
/** Mount, cgroup, UTS, IPC, user, PID and network namespaces. */
const NAMESPACE_FLAGS = CLONE_NEWNS | 0x7e000000;
const SET_USER_ID = 0o4000;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const TIOCSETD = 0x5423;
const TIOCGPTPEER = 0x5441;
const RLIMIT_LOCKS = 10;
const F_SETOWN = 8;
const F_SETSIG = 10;
const F_SETOWN_EX = 15;
const FIOSETOWN = 0x8901;
const SIOCSPGRP = 0x8902;
/** What programs ask for: the default, 32 bits, `uname` of 2.6, both, and what it is now. */
const PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xffffffff];
const O_ACCMODE = 3;
const O_TRUNC = 0o1000;

/** Calls that nothing in a sandbox may make. */
const FORBIDDEN: readonly SyscallName[] = [
  // Other processes.
  ...["ptrace", "process_vm_readv", "process_vm_writev", "kcmp"] as const,
  ...["pidfd_getfd", "process_madvise", "process_mrelease"] as const,
  ...["migrate_pages", "move_pages"] as const,
  // Keys that the kernel keeps for a user.
  ...["add_key", "request_key", "keyctl"] as const,
  // Ways past a filter, and large parts of the kernel.
  ...["bpf", "perf_event_open", "userfaultfd"] as const,
  ...["io_uring_setup", "io_uring_enter", "io_uring_register"] as const,
  // What is mounted where, and namespaces.
  ...["mount", "umount2", "pivot_root", "chroot", "setns"] as const,
  ...["open_tree", "open_tree_attr", "move_mount", "mount_setattr"] as const,
  ...["fsopen", "fsconfig", "fsmount", "fspick"] as const,
  // Files without their path.
  ...["name_to_handle_at", "open_by_handle_at"] as const,
  ...["fanotify_init", "fanotify_mark"] as const,
  // The machine.
  ...["kexec_load", "kexec_file_load", "reboot", "acct", "syslog"] as const,
  ...["init_module", "finit_module", "delete_module"] as const,
  ...["create_module", "query_module", "get_kernel_syms"] as const,
  ...["swapon", "swapoff", "quotactl", "quotactl_fd"] as const,
  ...["settimeofday", "clock_settime", "adjtimex", "clock_adjtime"] as const,
  ...["sethostname", "setdomainname", "vhangup"] as const,
  ...["iopl", "ioperm", "modify_ldt"] as const,
  ...["lookup_dcookie", "nfsservctl", "uselib", "ustat", "sysfs"] as const,
  ...["_sysctl", "vserver"] as const,
];

/** Memory and messages that all processes of a user share by number, whatever files they may open. */
const SHARED_BY_NUMBER: readonly SyscallName[] = [
  ...["shmget", "shmat", "shmdt", "shmctl"] as const,
  ...["semget", "semop", "semtimedop", "semctl"] as const,
  ...["msgget", "msgsnd", "msgrcv", "msgctl"] as const,
  ...["mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive"] as const,
  ...["mq_notify", "mq_getsetattr"] as const,
];

/** The filter for a machine. */
export function seccompFilter(needs: SeccompNeeds): Filter {
  const { architecture } = needs;
  return {
    word: "arch",
    test: { oneOf: [AUDIT_ARCH[architecture]] },
    yes: searched(rangesOf(rulesFor(needs), architecture)),
    // Another interface has other numbers: 32-bit programs on a 64-bit machine.
    no: "kill",
  };
}

/** Numbers from this one on, up to those of the next range. */
interface Range {
  readonly from: number;
  readonly then: Filter;
}

/** What is said about all numbers, in their order. A call that no rule names is allowed; the first that names it counts. */
function rangesOf(
  rules: readonly CallRule[],
  architecture: Architecture,
): Range[] {
  const said = new Map<number, Filter>();
  for (const { calls, then } of rules) {
    for (const number of numbersOf(calls, architecture)) {
      if (!said.has(number)) said.set(number, then);
    }
  }
  const ranges: Range[] = [];
  for (let number = 0; number <= NEWEST_SYSCALL; number++) {
    const then = said.get(number) ?? "allow";
    if (then !== ranges.at(-1)?.then) ranges.push({ from: number, then });
  }
  // The x32 interface of x86_64 is among them: its numbers have a high bit.
  return [...ranges, { from: NEWEST_SYSCALL + 1, then: "ENOSYS" }];
}

/** Halves the ranges until one is left: the kernel asks about every number when it takes a filter. */
function searched(ranges: readonly Range[]): Filter {
  if (ranges.length === 1) return ranges[0]!.then;
  const middle = ranges.length >> 1;
  return {
    word: "nr",
    test: { atLeast: ranges[middle]!.from },
    yes: searched(ranges.slice(middle)),
    no: searched(ranges.slice(0, middle)),
  };
}

/** What is said about calls. */
function rulesFor(needs: SeccompNeeds): readonly CallRule[] {
  return [
    ...networkCalls(needs),
    ...(needs.signals === "mediated" ? SIGNAL_CALLS : []),
    ...openCalls(needs),
    ...limitCalls(needs),
    { calls: FORBIDDEN, then: "EPERM" },
    {
      calls: SHARED_BY_NUMBER,
      then: needs.ownSharedMemory ? "allow" : "ENOSYS",
    },
    // What it starts is described in memory, where flags cannot be looked at. Programs fall back to clone().
    { calls: ["clone3"], then: "ENOSYS" },
    { calls: ["clone"], then: refuseBits("arg0", NAMESPACE_FLAGS) },
    {
      calls: ["unshare"],
      then: refuseBits("arg0", NAMESPACE_FLAGS | CLONE_NEWTIME),
    },
    { calls: ["ioctl"], then: terminalControls(needs) },
    {
      calls: ["personality"],
      then: only("arg0", PERSONALITIES, { otherwise: "EPERM" }),
    },
    // A program of root's that others can run as root. Directories may have the group's bit, so that one may be set.
    { calls: ["chmod", "fchmod"], then: refuseBits("arg1", SET_USER_ID) },
    {
      calls: ["fchmodat", "fchmodat2"],
      then: refuseBits("arg2", SET_USER_ID),
    },
  ];
}

/** Sends input to a terminal as if it were typed, or selects it on the console. */
function terminalControls(needs: SeccompNeeds): Filter {
  const controls = [TIOCSTI, TIOCLINUX, TIOCSETD];
  const owners = needs.signals === "mediated" ? [FIOSETOWN, SIOCSPGRP] : [];
  return {
    word: "arg1",
    test: { oneOf: [...controls, ...owners] },
    yes: "EPERM",
    no: asksMediator(needs)
      ? {
        // Landlock knows no rule for "a terminal that was made inside".
        word: "arg1",
        test: { oneOf: [TIOCGPTPEER] },
        yes: "notify",
        no: "allow",
      }
      : "allow",
  };
}

const SIGNAL_CALLS: readonly CallRule[] = [
  {
    calls: ["kill", "tkill", "tgkill", "pidfd_send_signal"],
    then: "notify",
  },
  { calls: ["rt_sigqueueinfo", "rt_tgsigqueueinfo"], then: "notify" },
  // The kernel would send a signal to whoever is named as owner.
  {
    calls: ["fcntl"],
    then: {
      word: "arg1",
      test: { oneOf: [F_SETOWN, F_SETSIG, F_SETOWN_EX] },
      yes: "EPERM",
      no: "allow",
    },
  },
];

/**
 * Opening that older versions of Landlock have no rule for: for neither reading nor writing, which gives control of a
 * device, and for reading while truncating.
 */
function openCalls({ truncation, devices }: SeccompNeeds): readonly CallRule[] {
  if (!truncation && !devices) return [];
  const opening = (flags: "arg1" | "arg2"): Filter => ({
    word: flags,
    test: { oneOf: [O_ACCMODE], mask: O_ACCMODE },
    yes: "EACCES",
    no: truncation ? refuseTruncation(flags) : "allow",
  });
  return [
    ...(truncation ? [{ calls: ["truncate"], then: "EACCES" } as const] : []),
    { calls: ["open"], then: opening("arg1") },
    { calls: ["openat"], then: opening("arg2") },
    // How it opens is described in memory.
    { calls: ["openat2"], then: "ENOSYS" },
  ];
}

function refuseTruncation(flags: "arg1" | "arg2"): Filter {
  return {
    word: flags,
    test: { oneOf: [0], mask: O_ACCMODE },
    yes: {
      word: flags,
      test: { anyBitOf: O_TRUNC },
      yes: "EACCES",
      no: "allow",
    },
    no: "allow",
  };
}

/** Limits of other processes can end them: nobody sets those. The mark of a session is a limit that nobody changes. */
function limitCalls({ marked }: SeccompNeeds): readonly CallRule[] {
  const kept = marked ? [RLIMIT_LOCKS] : [];
  const onlyReads: Filter = only("arg2", [0], {
    then: only("arg2high", [0], { otherwise: "EPERM" }),
    otherwise: "EPERM",
  });
  const own: Filter = {
    word: "arg1",
    test: { oneOf: kept },
    yes: onlyReads,
    no: "allow",
  };
  return [
    {
      calls: ["setrlimit"],
      then: {
        word: "arg0",
        test: { oneOf: kept },
        yes: "EPERM",
        no: "allow",
      },
    },
    {
      calls: ["prlimit64"],
      then: { word: "arg0", test: { oneOf: [0] }, yes: own, no: onlyReads },
    },
  ];
}

/** Refuses when any of the bits is set. */
function refuseBits(
  word: "arg0" | "arg1" | "arg2",
  bits: number,
): Filter {
  return { word, test: { anyBitOf: bits }, yes: "EPERM", no: "allow" };
}

/** `then` for these values, allowed unless given; `otherwise` for others. */
function only(
  word: "arg0" | "arg1" | "arg2" | "arg2high",
  values: readonly number[],
  options: { then?: Filter; otherwise: Verdict },
): Filter {
  return {
    word,
    test: { oneOf: values },
    yes: options.then ?? "allow",
    no: options.otherwise,
  };
}

function numbersOf(
  calls: readonly SyscallName[],
  architecture: Architecture,
): number[] {
  return calls.flatMap((name) => syscallNumber(name, architecture) ?? []);
}
