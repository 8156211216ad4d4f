/** The user's other programs: buses, agents, daemons and schedulers that would do for the agent what it may not do itself. */
import assert from "node:assert/strict";
import type { AbsPath } from "../../src/base/paths.ts";
import { decideSocket } from "../../src/sandbox/explain.ts";
import { waitFor } from "../support/process.ts";
import {
  launchClaim,
  type LaunchParts,
  type LaunchWorld,
} from "./launch_world.ts";
import { Servers } from "./servers.ts";
import { Outside } from "./outside.ts";

/** Alone, and with a supervisor that looks at every connect. */
const BOTH: readonly LaunchParts[] = [{ supervised: false }, {}];

/** A supervisor is there. */
const REACH = { reachesOwn: true };

/** Whether a bus runs for this user: it wants a name for everybody, and the tests' own user has none. */
function hasName(world: LaunchWorld): boolean {
  return world.user === "root" || Deno.uid() !== 0;
}

launchClaim("the session bus cannot be asked for anything", async (world) => {
  // Guards against landrun #43: `systemd-run --user` over the session bus started any program outside. The keyring is there too.
  using servers = new Servers();
  const bus = world.file("home/run/none").replace("none", "bus");
  world.own();
  const isReal = hasName(world);
  await using _daemon = isReal
    ? new Outside(world, "/usr/bin/dbus-daemon", [
      ...["--session", "--nofork", `--address=unix:path=${bus}`],
    ])
    : undefined;
  if (!isReal) servers.unix(bus, "the bus");
  await waitFor("the bus", () => world.has("home/run/bus") || undefined);
  const address = `DBUS_SESSION_BUS_ADDRESS=unix:path=${bus}`;
  const send = isReal
    ? `${address} dbus-send --session --print-reply ` +
      "--dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames"
    : `$attack connect-unix ${bus} | grep bus`;
  for (const parts of BOTH) {
    await world.refuses({
      "ask the bus": send,
      "through a link": `ln -sf ${bus} bus; ${send.replace(bus, "$PWD/bus")}`,
      "through the root": send.replace(bus, `/proc/self/root${bus}`),
    }, parts);
    const started = await world.shell(
      `${address} systemd-run --user touch ${world.home}/started 2>&1 || true`,
      parts,
    );
    assert.doesNotMatch(started, /Running/);
  }
  assert.ok(!world.has("home/started"));
});

launchClaim("the user's ssh-agent signs nothing", async (world) => {
  // Guards against an agent that logs in everywhere with keys that it cannot read (docker.sock's sibling in every list).
  const socket = world.file("home/run/none").replace("none", "agent");
  world.own();
  await using _agent = new Outside(world, "/usr/bin/ssh-agent", [
    ...["-D", "-a", socket],
  ]);
  await waitFor("the agent", () => world.has("home/run/agent") || undefined);
  // 1: it has no keys; 2: it cannot be reached.
  const list = `SSH_AUTH_SOCK=${socket} ssh-add -l; [ $? -eq 1 ]`;
  for (const parts of BOTH) await world.refuses({ list }, parts);
});

launchClaim(
  "an agent for keys is reached where unix_sockets names its variable, and nothing beside it",
  async (world) => {
    // Guards: a grant of one socket that opens the directory with the others.
    using servers = new Servers();
    const socket = world.file("home/run/none").replace("none", "agent");
    const other = servers.unix(`${world.home}/run/other`, "other");
    world.own();
    await using _agent = new Outside(world, "/usr/bin/ssh-agent", [
      ...["-D", "-a", socket],
    ]);
    await waitFor("the agent", () => world.has("home/run/agent") || undefined);
    world.manifest('unix_sockets = ["$SSH_AUTH_SOCK"]');
    const variables = { SSH_AUTH_SOCK: socket };
    const found = await world.shell(
      `ssh-add -l; [ $? -eq 1 ] && echo asked; $attack connect-unix ${other}`,
      { variables },
    );
    assert.match(found, /asked\nEACCES$/);
    // Without a supervisor there are no sockets: such a launch is refused.
    await assert.rejects(
      () => world.shell("true", { variables, supervised: false }),
      /nothing supervises it/,
    );
  },
);

launchClaim(
  "a granted directory gives its sockets, and nothing else of it",
  async (world) => {
    // Guards: a database whose socket is made anew, beside its files.
    using servers = new Servers();
    const file = world.file("home/db/secret", "the data\n");
    const socket = servers.unix(`${world.home}/db/s.5432`, "database");
    const beside = servers.unix(`${world.home}/dbx`, "other");
    world.own();
    world.manifest('unix_sockets = ["~/db"]');
    const { policy } = await world.plan();
    assert.ok(decideSocket(policy, socket as AbsPath, REACH).allowed);
    assert.ok(!decideSocket(policy, beside as AbsPath, REACH).allowed);
    const found = await world.shell(
      `$attack connect-unix ${socket}; $attack connect-unix ${beside}; cat ${file} || echo closed; ls ${world.home}/db || echo closed`,
    );
    assert.equal(found, "done database\nEACCES\nclosed\nclosed");
  },
);

const SOCKETS = [
  ...["run/docker.sock", ".docker/run/docker.sock", "run/podman/podman.sock"],
  ...[".gnupg/S.gpg-agent", "run/wayland-0", ".vscode/ipc.sock"],
  ...["run/pulse/native", "tmp/tmux-0/default", ".1password/agent.sock"],
];

launchClaim(
  "a socket that is said to be closed is closed",
  async (world) => {
    // Guards against nono #781 and #1003: docker.sock was reached while `why` printed DENIED.
    using servers = new Servers();
    const paths = SOCKETS.map((name) =>
      servers.unix(
        world.file(`home/${name}.dir/none`).replace("none", "s"),
        "daemon",
      )
    );
    world.own();
    for (const parts of BOTH) {
      const { policy } = await world.plan(parts);
      for (const path of paths) {
        assert.ok(!decideSocket(policy, path as AbsPath, REACH).allowed, path);
      }
      await world.refuses(
        Object.fromEntries(
          paths.map((path) => [path, `$attack connect-unix ${path} | grep d`]),
        ),
        parts,
      );
    }
  },
);

launchClaim(
  "a granted socket is reached, and said to be",
  async (world) => {
    // Guards against the opposite of nono #781: a grant that is shown and does not work.
    using servers = new Servers();
    const dir = world.file("home/db/none").replace("/none", "");
    const [one, other] = ["one", "other"].map((name) =>
      servers.unix(`${dir}/${name}`, "database")
    ) as [string, string];
    world.own();
    world.manifest('paths = ["~/db/one:rw"]');
    const { policy } = await world.plan();
    assert.ok(decideSocket(policy, one as AbsPath, REACH).allowed);
    assert.ok(!decideSocket(policy, other as AbsPath, REACH).allowed);
    const found = await world.shell(
      `$attack connect-unix ${one}; $attack connect-unix ${other}`,
    );
    assert.equal(found, "done database\nEACCES");
  },
);

launchClaim(
  "nothing can be left for a scheduler or a login to start",
  async (world) => {
    // Guards against at, cron, user units, autostart and shell files: what runs later runs outside.
    for (
      const name of [".config/systemd/user/x", ".config/autostart/x"]
        .concat([".config/environment.d/x", ".local/share/applications/x"])
    ) world.file(`home/${name}`);
    world.own();
    const make = (dir: string) => `$attack open ${dir} wT | grep done`;
    await world.refuses({
      units: make("~/.config/systemd/user"),
      autostart: make("~/.config/autostart"),
      environment: make("~/.config/environment.d"),
      applications: make("~/.local/share/applications"),
      profile: "echo x >> ~/.profile",
      bashrc: "echo x >> ~/.bashrc",
      zshenv: "echo x > ~/.zshenv",
      ssh: "echo x > ~/.ssh/rc",
      git: "git config --global core.pager evil",
    });
    const system = ["/etc", "/etc/cron.d", "/var/spool", "/etc/profile.d"];
    for (const dir of [...system, "/var/spool/cron", "/var/tmp", "/run"]) {
      const found = await world.shell(`$attack open ${dir} wT`);
      assert.match(found, /^E(ACCES|ROFS|NOENT)$/, dir);
    }
    if (world.user !== "root") return;
    assert.equal(await world.shellFreely(`$attack open /etc wT`), "done");
  },
);

/** Files by which the kernel is told to start a program, or what to do. Opening them for writing changes nothing. */
const KNOBS = [
  ...["kernel/core_pattern", "kernel/modprobe", "kernel/sysrq"],
  ...["vm/overcommit_memory", "kernel/yama/ptrace_scope", "kernel/hostname"],
  ...["fs/suid_dumpable", "kernel/randomize_va_space", "net/ipv4/ip_forward"],
].map((name) => `/proc/sys/${name}`);

launchClaim(
  "the kernel cannot be told to start a program",
  async (world) => {
    // Guards against core_pattern, modprobe, uevent_helper and release_agent: root runs what is named there.
    const all = [
      ...[...KNOBS, "/proc/sysrq-trigger", "/sys/kernel/uevent_helper"],
      ...["/sys/power/state", "/proc/self/oom_score_adj"],
      ...["/proc/self/uid_map", "/proc/self/attr/current"],
    ];
    const attempts = all.map((path) =>
      `echo ${path} $($attack open ${path} w)`
    );
    const found = await world.shell(attempts.join("\n"));
    for (const line of found.split("\n")) {
      assert.match(line, / E(ACCES|NOENT|ROFS)$/, line);
    }
    if (world.user !== "root") return;
    const free = await world.shellFreely(attempts.join("\n"));
    assert.match(free, /core_pattern done/);
    assert.match(free, /uid_map done/);
  },
);

launchClaim(
  "of a process outside nothing is read but what ps shows",
  async (world) => {
    // Guards against tokens in the environment and memory of the user's other programs, by every file that /proc has for one.
    await using outside = new Outside(world, "/usr/bin/sleep", ["1000"], {
      TOKEN: "a-token",
    });
    const closed = [
      ...["environ", "mem", "maps", "smaps", "auxv", "fd/0", "exe", "io"],
      ...["pagemap", "syscall", "stack", "personality", "numa_maps"],
      ...["task/PID/environ", "task/PID/mem", "task/PID/fd/0", "fdinfo/0"],
      ...["root/etc/hostname", "cwd/etc/hostname"],
    ].map((name) => `/proc/PID/${name}`.replaceAll("PID", `${outside.pid}`));
    const script = closed.map((path) =>
      `(head -c 1 ${path} | wc -c) 2>/dev/null | grep -q 1 && echo ${path}`
    ).join("\n");
    assert.equal(await world.shell(`${script}\necho end`), "end");
    const links = ["fd/0", "ns/net", "exe", "cwd", "root"].map((name) =>
      `readlink /proc/${outside.pid}/${name}`
    );
    await world.refuses(Object.fromEntries(links.map((line) => [line, line])));
    const free = await world.shellFreely(`${script}\necho end`);
    for (const path of [closed[0]!, closed.at(-1)!]) {
      assert.ok(free.includes(path), path);
    }
    const shown = await world.shell(
      `tr '\\0' ' ' < /proc/${outside.pid}/cmdline`,
    );
    assert.match(shown, /sleep 1000/);
  },
);

launchClaim(
  "shared memory of other programs is not found",
  async (world) => {
    // Guards against /dev/shm and System V segments, in which browsers and databases keep what they work on.
    const name = `aenv-${crypto.randomUUID()}`;
    const path = `/dev/shm/${name}`;
    try {
      await world.shellFreely(`echo secret > ${path}`);
      await world.refuses({
        list: "ls /dev/shm",
        glob: "ls -d /dev/shm/aenv-*",
      });
      const own = await world.shell(`python3 -c '
from multiprocessing import shared_memory as m
s = m.SharedMemory(create=True, size=16); s.buf[0] = 7
t = m.SharedMemory(s.name); print(t.buf[0]); s.unlink()'`);
      assert.equal(own, "7");
    } finally {
      Deno.removeSync(path);
    }
  },
);

launchClaim(
  "what is open by a name only cannot be used",
  async (world) => {
    // Guards against O_PATH, which opens everything: reopening it, executing it, linking it into the project.
    const key = `${world.home}/.ssh/id_rsa`;
    const program = `${world.home}/tool`;
    Deno.copyFileSync("/usr/bin/true", program);
    world.own();
    const python = (line: string) =>
      `python3 -c 'import os, ctypes as c
fd = os.open("${key}", os.O_PATH); ex = os.open("${program}", os.O_PATH)
libc = c.CDLL(None, use_errno=True)
${line}'`;
    await world.refuses({
      reopen: python('open(f"/proc/self/fd/{fd}").read()'),
      "reopen for writing": python('open(f"/proc/self/fd/{fd}", "a")'),
      execute: python('os.execve(ex, ["x"], {})'),
      "by descriptor": python(
        'os.open("id_rsa", os.O_RDONLY, dir_fd=os.open("' +
          `${world.home}/.ssh", os.O_PATH))`,
      ),
      link: python(
        'r = libc.linkat(-100, f"/proc/self/fd/{fd}".encode(), -100, b"l", ' +
          "0x400); assert r == 0",
      ),
    });
    assert.equal(await world.shellFreely("cat l"), "the private key");
  },
);

launchClaim(
  "other terminals of the user cannot be opened",
  async (world) => {
    // Guards against typing into, or reading from, the shell in the next window.
    const script = `import os, pty, sys, time
m, s = pty.openpty(); open(sys.argv[1], "w").write(os.ttyname(s)); time.sleep(99)`;
    const told = `${world.home}/tty`;
    await using _terminal = new Outside(world, "/usr/bin/python3", [
      ...["-c", script, told],
    ]);
    const path = await waitFor(
      "the terminal",
      () => world.has("home/tty") && world.read("home/tty") || undefined,
    );
    await world.refuses({
      read: `$attack open ${path} r | grep done`,
      write: `$attack open ${path} w | grep done`,
    });
  },
);
