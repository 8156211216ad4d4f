/** Processes outside: nothing of them can be read, and nothing done to them. */
import assert from "node:assert/strict";
import { asUser, claim, type RunParts, type World } from "./world.ts";

/** A process outside, of the same user, with a secret in its environment. */
class Outsider implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  constructor(world: World) {
    const [program, args] = asUser(world.user, "/usr/bin/sleep", ["1000"]);
    this.#child = new Deno.Command(program, {
      args: [...args],
      env: { SECRET: "the secret" },
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  get pid(): string {
    return String(this.#child.pid);
  }

  get isAlive(): boolean {
    const stat = Deno.readTextFileSync(`/proc/${this.pid}/stat`);
    return !/\) [ZX] /.test(stat);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

claim("the environment of a process outside cannot be read", async (world) => {
  // Guards: tokens in the environments of the user's other programs.
  await using outside = new Outsider(world);
  const found = await world.attack(["read", `/proc/${outside.pid}/environ`]);
  assert.equal(found, "EACCES");
  const free = ["read", `/proc/${outside.pid}/environ`];
  assert.match(await world.attackFreely(free), /the secret/);
});

claim(
  "memory, maps and descriptors of a process outside cannot be reached",
  async (world) => {
    // Guards: secrets in memory, and files that others have open.
    await using outside = new Outsider(world);
    const proc = `/proc/${outside.pid}`;
    await world.isStopped(["open", `${proc}/mem`, "r"], "EACCES");
    await world.isStopped(["open", `${proc}/mem`, "rw"], "EACCES");
    await world.isStopped(["read", `${proc}/maps`], "EACCES");
    await world.isStopped(["open", `${proc}/fd/0`, "r"], "EACCES");
    await world.isStopped(["list", `${proc}/root`], "EACCES");
    await world.isStopped(["list", `${proc}/cwd`], "EACCES");
    await world.isStopped(["open", `${proc}/exe`, "r"], "EACCES");
  },
);

claim(
  "the supervisor's own process is as closed as any other",
  async (world) => {
    // Guards: what holds the secrets is the nearest process of all.
    const script = "echo $PPID; cat /proc/$PPID/environ; kill $PPID";
    const { output, errors } = await world.run("/usr/bin/bash", ["-c", script]);
    assert.match(output, /^\d+\n$/);
    assert.match(
      errors,
      /environ: Permission denied\n.*Operation not permitted/,
    );
  },
);

claim("no process can be debugged", async (world) => {
  // Guards: ptrace and its relatives, which read and write all memory.
  await using outside = new Outsider(world);
  const { pid } = outside;
  await world.isStopped(["ptrace", pid], "EPERM");
  const maps = Deno.readTextFileSync(`/proc/${pid}/maps`);
  const address = `0x${maps.split("-", 1)[0]}`;
  await world.isStopped(["read-memory", pid, address], "EPERM");
  const script = "sleep 9 & ./attack ptrace $!; kill $!";
  const { output } = await world.run("/usr/bin/bash", ["-c", script]);
  assert.equal(output, "EPERM\n");
});

claim("signals do not leave the sandbox", async (world) => {
  // Guards: ending the user's programs, and the supervisor.
  await using outside = new Outsider(world);
  const { pid } = outside;
  for (const call of ["kill", "tgkill", "tkill", "queue", "pidfd-signal"]) {
    await world.isStopped([call, pid, "0"], "EPERM");
  }
  assert.equal(await world.attack(["kill", pid, "9"]), "EPERM");
  assert.equal(await world.attack(["kill", "1", "0"]), "EPERM");
  assert.ok(outside.isAlive);
});

claim("signals reach processes inside", async (world) => {
  // Guards: shells, test runners and build tools that end their children.
  const script = `sleep 99 & kill $! && wait $!; echo $?
    (trap 'echo got it; exit' USR1; kill -USR1 $BASHPID; sleep 1)
    set -m; sleep 99 & kill -- -$!; wait $!; echo $?`;
  const { output, errors } = await world.run("/usr/bin/bash", ["-c", script]);
  assert.equal(output, "143\ngot it\n143\n", errors);
});

claim("limits of a process outside cannot be set", async (world) => {
  // Guards: a limit of no processor time ends a process as a signal does.
  await using outside = new Outsider(world);
  const prlimit = Deno.build.arch === "aarch64" ? "261" : "302";
  const RLIMIT_CORE = "4";
  const words = ["call", prlimit, outside.pid, RLIMIT_CORE, "m:16", "0"];
  await world.isStopped(words, "EPERM");
});

claim("capabilities are gone for good", async (world) => {
  // Guards: root in the sandbox, which reads every file that is granted to nobody.
  const { output } = await world.run("/usr/bin/grep", [
    "-E",
    "^(Cap|NoNewPrivs|Seccomp:)",
    "/proc/self/status",
  ]);
  const none = "0".repeat(16);
  const sets = output.split("\n").filter((line) => line.startsWith("Cap"));
  const own = sets.filter((line) => !line.startsWith("CapBnd"));
  assert.ok(own.every((line) => line.endsWith(none)), output);
  assert.match(output, /NoNewPrivs:\t1\nSeccomp:\t2\n/);
  if (world.user === "root") assert.ok(output.includes(`CapBnd:\t${none}`));
});

claim("no descriptor is inherited but the first three", async (world) => {
  // Guards: files and sockets that the launcher or its caller had open.
  assert.equal(await world.attack(["descriptors"]), "done");
});

claim("a daemon that leaves its session stays confined", async (world) => {
  // Guards: setsid and two forks, after which nothing above remains.
  const key = `${world.home}/.ssh/id_rsa`;
  const told = `${world.project}/told`;
  const script = `(setsid sh -c './attack read ${key} > ${told}.new; ` +
    `mv ${told}.new ${told}' &) ; while ! [ -e ${told} ]; do :; done`;
  await world.run("/usr/bin/bash", ["-c", script]);
  assert.equal(Deno.readTextFileSync(told), "EACCES\n");
});

claim("nothing is typed into the terminal", async (world) => {
  // Guards: TIOCSTI, by which a command reaches the shell after the agent.
  for (const control of ["0x5412", "0x541c"]) {
    assert.equal(await world.attack(["type", control]), "EPERM");
  }
});

const OLD: RunParts = { supervised: true, landlockAbi: 5 };

claim("signals do not leave the sandbox of an older kernel", async (world) => {
  // Guards: before Linux 6.12 Landlock does not scope signals; the supervisor does.
  await using outside = new Outsider(world);
  const { pid } = outside;
  for (const call of ["kill", "tgkill", "tkill", "queue", "pidfd-signal"]) {
    assert.equal(await world.attack([call, pid, "0"], OLD), "EPERM", call);
  }
  assert.equal(await world.attack(["kill", "-1", "0"], OLD), "EPERM");
  assert.equal(await world.attack(["own", pid], OLD), "EPERM");
  assert.ok(outside.isAlive);
});

claim("signals reach processes inside on an older kernel", async (world) => {
  // Guards: the supervisor must not stop what Landlock would allow.
  const script = `sleep 99 & kill $! && wait $!; echo $?
    (trap 'echo got it; exit' USR1; kill -USR1 $BASHPID; sleep 1)
    set -m; sleep 99 & kill -- -$!; wait $!; echo $?
    python3 -c 'import signal as s,os,threading
s.signal(s.SIGUSR1, lambda *a: print("python"))
s.pthread_kill(threading.get_ident(), s.SIGUSR1); s.raise_signal(s.SIGUSR1)'`;
  const { output, errors } = await world.run("/usr/bin/bash", [
    "-c",
    script,
  ], OLD);
  assert.equal(output, "143\ngot it\n143\npython\npython\n", errors);
});
