/** The kernel: interfaces that an agent has no use for, and through which sandboxes were left. */
import assert from "node:assert/strict";
import {
  type Architecture,
  type SyscallName,
  syscallNumber,
} from "../../src/os/syscall_numbers.ts";
import { claim, type World } from "./world.ts";

const MACHINE: Architecture = Deno.build.arch;

/** Words for a call of this machine; undefined where it has none. */
function call(name: SyscallName, ...args: string[]): string[] | undefined {
  const number = syscallNumber(name, MACHINE);
  return number === undefined ? undefined : ["call", `${number}`, ...args];
}

async function allMeet(
  world: World,
  expected: string,
  calls: readonly (string[] | undefined)[],
): Promise<void> {
  for (const words of calls) {
    if (words === undefined) continue;
    assert.equal(await world.attack(words), expected, words.join(" "));
  }
}

const NEWUSER = "0x10000000";

claim("no namespace can be made", async (world) => {
  // Guards: a user namespace makes root, and with it everything below.
  const flags = ["0x20000", "0x2000000", "0x4000000", "0x8000000", NEWUSER];
  for (const flag of [...flags, "0x20000000", "0x40000000"]) {
    assert.equal(await world.attack(["unshare", flag]), "EPERM", flag);
    assert.equal(await world.attack(["clone", flag]), "EPERM", flag);
    assert.equal(await world.attack(["clone3", flag]), "ENOSYS", flag);
  }
  assert.equal(await world.attackFreely(["unshare", NEWUSER]), "done");
  assert.equal(await world.attackFreely(["clone", NEWUSER]), "done");
  assert.equal(await world.attackFreely(["clone3", NEWUSER]), "done");
});

claim(
  "nothing can be mounted, unmounted or made another root",
  async (world) => {
    // Guards: taking a read-only mount away, or putting another over it.
    const here = `s:${world.project}`;
    const MS_BIND = "0x1000";
    const MS_REMOUNT = "0x20";
    await allMeet(world, "EPERM", [
      call("mount", here, here, "s:none", MS_BIND, "0"),
      call("mount", "s:none", here, "s:tmpfs", "0", "0"),
      call("mount", "s:none", here, "s:none", MS_REMOUNT, "0"),
      call("umount2", here, "2"),
      call("pivot_root", here, here),
      call("chroot", here),
      call("setns", "0", "0"),
      call("open_tree", "-100", here, "1"),
      call("open_tree_attr", "-100", here, "1", "m:32", "32"),
      call("move_mount", "0", here, "0", here, "0"),
      call("mount_setattr", "-100", here, "0", "m:32", "32"),
      call("fsopen", "s:tmpfs", "0"),
      call("fsconfig", "0", "0", "0", "0", "0"),
      call("fsmount", "0", "0", "0"),
      call("fspick", "-100", here, "0"),
    ]);
    if (world.user === "root") {
      const words = call("fsopen", "s:tmpfs", "0")!;
      assert.equal(await world.attackFreely(words), "done");
    }
  },
);

claim("keys of the user cannot be read or made", async (world) => {
  // Guards: the session keyring, which holds tickets and disk keys.
  const GET_SESSION = ["0", "-3", "0"];
  await world.isStopped(call("keyctl", ...GET_SESSION)!, "EPERM");
  const key = call("add_key", "s:user", "s:x", "s:y", "1", "-2")!;
  await world.isStopped(key, "EPERM");
  await allMeet(world, "EPERM", [
    call("request_key", "s:user", "s:x", "0", "0"),
  ]);
});

claim("io_uring does not exist", async (world) => {
  // Guards: files and sockets opened past every filter.
  await world.isStopped(call("io_uring_setup", "4", "m:120")!, "EPERM");
  await allMeet(world, "EPERM", [
    call("io_uring_enter", "0", "1", "1", "0", "0", "0"),
    call("io_uring_register", "0", "0", "0", "0"),
  ]);
});

claim("BPF, perf and userfaultfd do not exist", async (world) => {
  // Guards: large parts of the kernel that exploits are built from.
  const BPF_MAP_CREATE = "0";
  await allMeet(world, "EPERM", [
    call("bpf", BPF_MAP_CREATE, "m:128", "128"),
    call("bpf", "5", "m:128", "128"),
    call("perf_event_open", "m:128", "0", "-1", "-1", "0"),
  ]);
  const USER_MODE_ONLY = "1";
  await world.isStopped(call("userfaultfd", USER_MODE_ONLY)!, "EPERM");
});

claim("files are reached by their path only", async (world) => {
  // Guards: handles, which name a file wherever it lies.
  const here = `s:${world.project}/file`;
  await allMeet(world, "EPERM", [
    call("name_to_handle_at", "-100", here, "m:256", "m:8", "0"),
    call("open_by_handle_at", "-100", "m:256", "0"),
    call("fanotify_init", "0", "0"),
    call("fanotify_mark", "0", "0", "0", "-100", here),
  ]);
});

claim(
  "the machine cannot be stopped, replaced or reconfigured",
  async (world) => {
    // Guards: what only root could do, as root too.
    await allMeet(world, "EPERM", [
      call("reboot", "0", "0", "0", "0"),
      call("kexec_load", "0", "0", "0", "0"),
      call("kexec_file_load", "-1", "-1", "0", "0", "0"),
      call("init_module", "0", "0", "s:"),
      call("finit_module", "-1", "s:", "0"),
      call("delete_module", "s:nothing", "0"),
      call("swapon", "s:/nothing", "0"),
      call("swapoff", "s:/nothing"),
      call("acct", "s:/nothing"),
      call("quotactl", "0", "0", "0", "0"),
      call("quotactl_fd", "-1", "0", "0", "0"),
      call("settimeofday", "0", "0"),
      call("clock_settime", "-1", "m:16"),
      call("adjtimex", "m:256"),
      call("clock_adjtime", "0", "m:256"),
      call("sethostname", "s:x", "0"),
      call("setdomainname", "s:x", "0"),
      call("syslog", "3", "m:64", "64"),
      call("iopl", "0"),
      call("ioperm", "0", "0", "0"),
      call("modify_ldt", "0", "0", "0"),
      call("vhangup"),
    ]);
  },
);

claim(
  "other processes' memory and descriptors have no system call",
  async (world) => {
    // Guards: every relative of ptrace, also on the process itself.
    const self = "0";
    await allMeet(world, "EPERM", [
      call("process_vm_readv", self, "0", "0", "0", "0", "0"),
      call("process_vm_writev", self, "0", "0", "0", "0", "0"),
      call("pidfd_getfd", "-1", "0", "0"),
      call("kcmp", self, self, "0", "0", "0"),
      call("process_madvise", "-1", "0", "0", "0", "0"),
      call("process_mrelease", "-1", "0"),
      call("move_pages", self, "0", "0", "0", "0", "0"),
      call("migrate_pages", self, "0", "0", "0"),
    ]);
  },
);

claim("no memory is shared by number", async (world) => {
  // Guards: pictures of windows and other segments of the user's programs.
  await world.isStopped(call("shmget", "0", "4096", "0x380")!, "ENOSYS");
  await allMeet(world, "ENOSYS", [
    call("semget", "0", "1", "0x380"),
    call("msgget", "0", "0x380"),
    call("mq_open", "s:x", "0", "0", "0"),
  ]);
});

claim("calls that are newer than the filter do not exist", async (world) => {
  // Guards: whatever the next kernel brings.
  for (const number of ["470", "500", "1000", "0x40000027"]) {
    assert.equal(await world.attack(["call", number]), "ENOSYS", number);
  }
});

claim("calls of the 32-bit interface end the process", async (world) => {
  // Guards: the same calls under other numbers, which no rule here knows.
  if (MACHINE !== "x86_64") return;
  const SIGSYS = 31;
  const { code } = await world.run(world.attacker, ["old-call"]);
  assert.equal(code, 128 + SIGSYS);
  assert.equal(await world.attackFreely(["old-call"]), "done");
});

claim("odd personalities are refused", async (world) => {
  // Guards: executable data, and addresses that can be guessed.
  const READ_IMPLIES_EXEC = "0x0400000";
  await world.isStopped(call("personality", READ_IMPLIES_EXEC)!, "EPERM");
  const query = call("personality", "0xffffffff")!;
  assert.equal(await world.attack(query), "done");
});

claim("a sandbox inside can only take more away", async (world) => {
  // Guards: programs that confine themselves keep working, and gain nothing.
  const NO_NEW_PRIVS = ["38", "1", "0", "0", "0"];
  assert.equal(await world.attack(call("prctl", ...NO_NEW_PRIVS)!), "done");
  const version = call("landlock_create_ruleset", "0", "0", "1")!;
  assert.equal(await world.attack(version), "done");
});
