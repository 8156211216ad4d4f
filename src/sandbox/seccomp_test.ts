import assert from "node:assert/strict";
import { runFilter } from "../../tests/support/bpf_machine.ts";
import { ERRNO, type ErrnoName } from "../os/syscall.ts";
import {
  NEWEST_SYSCALL,
  SYSCALL_NAMES,
  type SyscallName,
  syscallNumber,
} from "../os/syscall_numbers.ts";
import { ACTION, assemble } from "./bpf.ts";
import { seccompFilter } from "./seccomp.ts";
import type { SeccompNeeds } from "./seccomp_needs.ts";

const MACHINES = ["x86_64", "aarch64"] as const;
const ARCH = { ["x86_64"]: 0xc000003e, aarch64: 0xc00000b7 };
const I386 = 0x40000003;
const ARM = 0x40000028;

const STRICT: Omit<SeccompNeeds, "architecture"> = {
  internet: "none",
  unix: "none",
  truncation: false,
  devices: false,
  ownSharedMemory: false,
  signals: "kernel",
  marked: false,
};

/** What becomes of a call, in words. */
function outcome(
  needs: Partial<SeccompNeeds>,
  call: SyscallName | number,
  ...args: (number | bigint)[]
): string {
  const outcomes = MACHINES.map((architecture) => {
    const program = assemble(
      seccompFilter({ ...STRICT, ...needs, architecture }),
    );
    const nr = typeof call === "number"
      ? call
      : syscallNumber(call, architecture);
    if (nr === undefined) return undefined;
    return wordOf(
      runFilter(program, {
        nr,
        arch: ARCH[architecture],
        args: args.map(BigInt),
      }),
    );
  });
  const words = new Set(outcomes.filter((word) => word !== undefined));
  assert.equal(words.size, 1, `${call}: ${outcomes}`);
  return [...words][0]!;
}

function wordOf(action: number): string {
  const errno = (Object.keys(ERRNO) as ErrnoName[]).find((name) =>
    action === (ACTION.errno | ERRNO[name])
  );
  const found = Object.entries(ACTION).find(([, value]) => value === action);
  return errno ?? found?.[0] ?? `${action}`;
}

const NEVER = `ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd
process_madvise process_mrelease migrate_pages move_pages add_key request_key
keyctl bpf perf_event_open userfaultfd io_uring_setup io_uring_enter
io_uring_register mount umount2 pivot_root chroot setns open_tree
open_tree_attr move_mount mount_setattr fsopen fsconfig fsmount fspick
name_to_handle_at open_by_handle_at fanotify_init fanotify_mark kexec_load
kexec_file_load reboot acct syslog init_module finit_module delete_module
create_module query_module get_kernel_syms swapon swapoff quotactl quotactl_fd
settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname
vhangup iopl ioperm modify_ldt lookup_dcookie nfsservctl uselib ustat sysfs
_sysctl vserver`.split(/\s+/) as SyscallName[];

const SHARED = `shmget shmat shmdt shmctl semget semop semtimedop semctl msgget
msgsnd msgrcv msgctl mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify
mq_getsetattr clone3`.split(/\s+/) as SyscallName[];

Deno.test("every network mode refuses the same dangerous calls", () => {
  for (const internet of ["none", "mediated", "open"] as const) {
    for (const name of NEVER) {
      assert.equal(outcome({ internet }, name), "EPERM", name);
    }
    for (const name of SHARED) {
      assert.equal(outcome({ internet }, name), "ENOSYS", name);
    }
  }
});

Deno.test("memory is shared by number in a namespace only", () => {
  for (const name of ["shmget", "semop", "msgsnd", "mq_open"] as const) {
    assert.equal(outcome({ ownSharedMemory: true }, name), "allow");
  }
});

Deno.test("calls that nothing is said about are allowed", () => {
  const needs = { internet: "open", unix: "kernel" } as const;
  const named = new Set<SyscallName>([...NEVER, ...SHARED]);
  for (const name of SYSCALL_NAMES) {
    if (named.has(name) || name === "socket" || name === "socketpair") continue;
    assert.equal(outcome(needs, name), "allow", name);
  }
  // read, write, openat, futex, mmap have numbers below 470 on both machines.
  for (let nr = 0; nr <= NEWEST_SYSCALL; nr++) {
    const isNamed = MACHINES.some((machine) =>
      SYSCALL_NAMES.some((name) => syscallNumber(name, machine) === nr)
    );
    if (!isNamed) assert.equal(outcome(needs, nr), "allow", `${nr}`);
  }
});

Deno.test("a filter is short on the way to every call: the kernel asks it about each at every start", () => {
  const most: Partial<SeccompNeeds> = {
    ...{ internet: "mediated", unix: "mediated", signals: "mediated" },
    ...{ truncation: true, devices: true, marked: true },
  };
  for (const architecture of MACHINES) {
    const program = assemble(
      seccompFilter({ ...STRICT, ...most, architecture }),
    );
    for (let nr = 0; nr <= NEWEST_SYSCALL; nr++) {
      const count = { instructions: 0 };
      runFilter(program, { nr, arch: ARCH[architecture] }, count);
      assert.ok(count.instructions <= 20, `${nr}: ${count.instructions}`);
    }
  }
});

Deno.test("a call newer than the filter does not exist", () => {
  assert.equal(outcome({}, NEWEST_SYSCALL + 1), "ENOSYS");
  assert.equal(outcome({}, 0xffffffff), "ENOSYS");
});

Deno.test("the x32 interface does not exist", () => {
  for (const nr of [0, 41, 101, 520]) {
    assert.equal(outcome({}, 0x40000000 + nr), "ENOSYS");
  }
});

Deno.test("a call of another machine's interface ends the process", () => {
  for (const architecture of MACHINES) {
    const program = assemble(seccompFilter({ ...STRICT, architecture }));
    const others = [I386, ARM, 0, ...Object.values(ARCH)].filter((arch) =>
      arch !== ARCH[architecture]
    );
    for (const arch of others) {
      for (const nr of [0, 1, 26, 101, 999]) {
        assert.equal(wordOf(runFilter(program, { nr, arch })), "kill");
      }
    }
  }
});

Deno.test("processes and threads can be started, namespaces cannot", () => {
  const fork = 0x01200011;
  const thread = 0x003d0f00;
  for (const flags of [0, fork, thread]) {
    assert.equal(outcome({}, "clone", flags), "allow");
  }
  for (const bit of [17, 25, 26, 27, 28, 29, 30]) {
    assert.equal(outcome({}, "clone", fork + 2 ** bit), "EPERM", `${bit}`);
    assert.equal(outcome({}, "unshare", 2 ** bit), "EPERM", `${bit}`);
  }
  // The time namespace; for clone this bit belongs to the signal.
  assert.equal(outcome({}, "unshare", 0x80), "EPERM");
  assert.equal(outcome({}, "unshare", 0x400), "allow");
});

Deno.test("seccompFilter() has a mediator asked for the other side of a terminal where there is one", () => {
  const other = 0x5441;
  assert.equal(outcome({}, "ioctl", 0, other), "allow");
  for (
    const needs of [
      { internet: "mediated" },
      { unix: "mediated" },
      { signals: "mediated" },
    ] as const
  ) {
    assert.equal(outcome(needs, "ioctl", 0, other), "notify");
    assert.equal(outcome(needs, "ioctl", 0, 0x5412), "EPERM");
    assert.equal(outcome(needs, "ioctl", 0, 0x5401), "allow");
  }
});

Deno.test("input cannot be put into a terminal, whatever the upper half of the number says", () => {
  for (const control of [0x5412, 0x541c, 0x5423]) {
    assert.equal(outcome({}, "ioctl", 0, control), "EPERM");
    const upper = BigInt(control) + (1n << 40n);
    assert.equal(outcome({}, "ioctl", 0, upper), "EPERM");
  }
  for (const control of [0x5401, 0x5413, 0x540f, 0x5421, 0x8901]) {
    assert.equal(outcome({}, "ioctl", 0, control), "allow");
  }
});

Deno.test("programs that run as their owner cannot be made", () => {
  for (const mode of [0o4755, 0o6711, 0o7777]) {
    assert.equal(outcome({}, "chmod", 0, mode), "EPERM");
    assert.equal(outcome({}, "fchmod", 0, mode), "EPERM");
    assert.equal(outcome({}, "fchmodat", 0, 0, mode), "EPERM");
    assert.equal(outcome({}, "fchmodat2", 0, 0, mode, 0), "EPERM");
  }
  for (const mode of [0o644, 0o1777, 0o2775]) {
    assert.equal(outcome({}, "fchmodat", 0, 0, mode), "allow");
  }
});

Deno.test("personalities that programs ask for are given, others not", () => {
  for (const persona of [0, 8, 0x20000, 0x20008, 0xffffffff]) {
    assert.equal(outcome({}, "personality", persona), "allow");
  }
  for (const persona of [0x0400000, 0x0040000, 0x0100000, 1]) {
    assert.equal(outcome({}, "personality", persona), "EPERM");
  }
});

Deno.test("truncation is stopped by the filter where Landlock does not", () => {
  const needs = { truncation: true };
  const [readOnly, writeOnly, both, neither] = [0, 1, 2, 3];
  assert.equal(outcome(needs, "truncate"), "EACCES");
  assert.equal(outcome({}, "truncate"), "allow");
  assert.equal(outcome(needs, "openat2"), "ENOSYS");
  assert.equal(outcome(needs, "creat"), "allow");
  for (
    const [mode, expected] of [
      [readOnly, "EACCES"],
      [neither, "EACCES"],
      [writeOnly, "allow"],
      [both, "allow"],
    ] as const
  ) {
    const flags = mode! | 0o1000 | 0o2000000;
    assert.equal(outcome(needs, "openat", 0, 0, flags), expected);
    assert.equal(outcome(needs, "open", 0, flags), expected);
    const plain = mode === neither ? "EACCES" : "allow";
    assert.equal(outcome(needs, "openat", 0, 0, mode!), plain);
  }
});

Deno.test("devices are not opened for control alone where Landlock has no rule for it", () => {
  const needs = { devices: true };
  assert.equal(outcome(needs, "openat", 0, 0, 3), "EACCES");
  assert.equal(outcome(needs, "open", 0, 0o2000003), "EACCES");
  assert.equal(outcome(needs, "openat2"), "ENOSYS");
  for (const mode of [0, 1, 2, 0o1000]) {
    assert.equal(outcome(needs, "openat", 0, 0, mode), "allow");
  }
  assert.equal(outcome(needs, "truncate"), "allow");
});

Deno.test("the mark of a session cannot be changed, only read", () => {
  const needs = { marked: true };
  assert.equal(outcome(needs, "setrlimit", 10), "EPERM");
  assert.equal(outcome(needs, "setrlimit", 7), "allow");
  assert.equal(outcome(needs, "prlimit64", 0, 10, 1), "EPERM");
  assert.equal(outcome(needs, "prlimit64", 0, 10, 1n << 32n), "EPERM");
  assert.equal(outcome(needs, "prlimit64", 0, 10, 0), "allow");
  assert.equal(outcome(needs, "prlimit64", 0, 7, 1), "allow");
  assert.equal(outcome({}, "prlimit64", 0, 10, 1), "allow");
  assert.equal(outcome({}, "setrlimit", 10), "allow");
});

Deno.test("limits of other processes can be read and not set", () => {
  for (const marked of [true, false]) {
    assert.equal(outcome({ marked }, "prlimit64", 77, 0, 1), "EPERM");
    assert.equal(outcome({ marked }, "prlimit64", 77, 0, 1n << 40n), "EPERM");
    assert.equal(outcome({ marked }, "prlimit64", 77, 10, 0), "allow");
  }
});

Deno.test("signals are asked about where Landlock does not scope them", () => {
  const needs = { signals: "mediated" } as const;
  const calls = ["kill", "tkill", "tgkill", "pidfd_send_signal"] as const;
  const queued = ["rt_sigqueueinfo", "rt_tgsigqueueinfo"] as const;
  for (const name of [...calls, ...queued]) {
    assert.equal(outcome(needs, name), "notify");
    assert.equal(outcome({}, name), "allow");
  }
  for (const command of [8, 10, 15]) {
    assert.equal(outcome(needs, "fcntl", 0, command), "EPERM");
  }
  assert.equal(outcome(needs, "fcntl", 0, 4), "allow");
  assert.equal(outcome(needs, "ioctl", 0, 0x8901), "EPERM");
  assert.equal(outcome(needs, "ioctl", 0, 0x8902), "EPERM");
});
