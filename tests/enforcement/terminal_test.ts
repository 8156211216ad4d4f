/** The terminal: shared with the user's shell, which reads from it when the agent has ended. */
import assert from "node:assert/strict";
import type { AbsPath } from "../../src/base/paths.ts";
import { changeLines } from "../../src/cli/sandbox_changes.ts";
import type { PathGrant } from "../../src/sandbox/types.ts";
import { compareSnapshots, takeSnapshot } from "../../src/sandbox/protect.ts";
import { waitFor } from "../support/process.ts";
import { launchClaim, LaunchWorld, type Planned } from "./launch_world.ts";
import { asUser } from "./world.ts";

/** A terminal of the user's, and what was typed into it. */
class Terminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly path: string;

  private constructor(child: Deno.ChildProcess, path: string) {
    this.#child = child;
    this.path = path;
  }

  static async open(world: LaunchWorld): Promise<Terminal> {
    const told = `${world.home}/terminal`;
    const script = `import os, pty, sys, time
m, s = pty.openpty(); name = os.ttyname(s)
open(sys.argv[1] + ".new", "w").write(name); os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(99)`;
    const [program, args] = asUser(world.user, "/usr/bin/python3", [
      ...["-c", script, told],
    ]);
    const child = new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const path = await waitFor(
      "the terminal",
      () =>
        world.has("home/terminal") && world.read("home/terminal") || undefined,
    );
    return new Terminal(child, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

/** A launch from this terminal. */
async function planAt(
  world: LaunchWorld,
  terminal: Terminal,
): Promise<Planned> {
  const { policy, env } = await world.plan();
  const grant: PathGrant = {
    path: terminal.path as AbsPath,
    kind: "file",
    access: "device",
    why: { source: "device", text: "the terminal it runs on" },
  };
  return { policy: { ...policy, grants: [...policy.grants, grant] }, env };
}

/** Words that run a shell line with this terminal as its own. */
function inTerminal(terminal: Terminal, line: string): string {
  return `exec setsid --ctty --wait bash -c '${line}' 0<>${terminal.path}`;
}

/** Whether the kernel lets anybody type into terminals, as older ones do. */
function allowsTyping(world: LaunchWorld): boolean {
  const path = "/proc/sys/dev/tty/legacy_tiocsti";
  return world.user === "root" || Deno.readTextFileSync(path).trim() === "1";
}

launchClaim("nothing can be typed into the own terminal", async (world) => {
  // Guards against TIOCSTI (CVE-2017-5226 of bubblewrap): a command that the user's shell reads after the agent's end.
  await using terminal = await Terminal.open(world);
  const planned = await planAt(world, terminal);
  const line = inTerminal(terminal, "$attack type 0x5412");
  const { output, errors } = await world.run(
    "/usr/bin/bash",
    ["-c", line],
    {},
    planned,
  );
  assert.equal(output, "EPERM\n", errors);
  const free = await world.shellFreely(line);
  assert.equal(free, allowsTyping(world) ? "done" : "EIO");
});

launchClaim(
  "a console's text cannot be selected and pasted",
  async (world) => {
    // Guards against TIOCLINUX (snapd's CVE-2023-1523), TIOCSETD, and both with bits that the kernel does not look at.
    await using terminal = await Terminal.open(world);
    const planned = await planAt(world, terminal);
    const controls = ["0x541c", "0x5423", "0xffffffff00005412", "0x100005412"];
    const tries = controls.map((code) => `$attack type ${code}`).join("; ");
    const line = inTerminal(terminal, tries);
    const { output } = await world.run(
      "/usr/bin/bash",
      ["-c", line],
      {},
      planned,
    );
    assert.deepEqual(output.trim().split("\n"), controls.map(() => "EPERM"));
    const free = await world.shellFreely(line);
    assert.ok(!free.includes("EPERM") || !allowsTyping(world), free);
  },
);

launchClaim("the terminal works as a terminal", async (world) => {
  // Guards against `setsid`, which keeps input out and breaks job control and the window's size with it.
  await using terminal = await Terminal.open(world);
  const planned = await planAt(world, terminal);
  const line = inTerminal(
    terminal,
    "stty rows 33 cols 77 && stty size && tty && stty -echo raw && stty sane " +
      '&& python3 -c "import os,signal as s; s.signal(s.SIGWINCH, lambda *a: ' +
      'print(os.get_terminal_size(0)[0])); os.system(\\"stty cols 78\\")"',
  );
  const { output, errors } = await world.run(
    "/usr/bin/bash",
    ["-c", line],
    {},
    planned,
  );
  assert.equal(output, `33 77\n${terminal.path}\n78\n`, errors);
});

launchClaim(
  "names that an agent chose cannot control the terminal that shows them",
  async (world) => {
    // Guards against escape sequences in file names, which would retitle, type or hide when a change is shown.
    const dir = { path: `${world.project}/.vscode` as AbsPath, tree: true };
    const watched = [{ ...dir, why: "editors run the tasks in it" }];
    Deno.mkdirSync(dir.path);
    world.own();
    const before = takeSnapshot(watched);
    await world.shell(
      `cd .vscode && touch $'\\e]0;title\\a' $'\\e[2J' $'a\\rb' $'\\x9b2J' &&
      ln -s $'\\e[31m' link && touch $'line\\nbreak' $'\\u202etxt.exe'`,
      { noNamespaces: true },
    );
    const changes = compareSnapshots(before, takeSnapshot(watched), watched);
    assert.equal(changes.length, 7);
    for (const line of changeLines(changes, world.project)) {
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f\u202a-\u202e]/);
    }
  },
);

/** Programs that make a terminal for another one, and what they say then. */
const MAKERS = {
  script: `script -qec 'tty > t; echo made' /dev/null; grep -q /dev/pts/ t`,
  python:
    `/usr/bin/python3 -c 'import pty; pty.spawn(["sh", "-c", "test -t 0 && tty > /dev/null && echo made"])'`,
  jobs:
    `script -qec 'bash -ic "sleep 9 & kill %1; stty size > /dev/null && echo made"' /dev/null 2> /dev/null`,
  tmux:
    `mkdir -p t.d && export TMUX_TMPDIR=$PWD/t.d && tmux -f /dev/null new -d 'tty > u' &&
for n in $(seq 200); do test -s u && break; sleep 0.05; done; grep -q /dev/pts/ u && echo made`,
};

launchClaim(
  "terminals that are made inside work, and no others can be opened",
  async (world) => {
    // Guards against a grant for /dev/pts, which would hold for the shell in the next window as well.
    for (const [name, line] of Object.entries(MAKERS)) {
      const said = await world.shell(line, { ownSession: true });
      assert.match(said, /^made\r?$/m, name);
    }
    await using terminal = await Terminal.open(world);
    const python = (line: string) =>
      `/usr/bin/python3 -c 'import fcntl, os, pty, sys
TIOCGPTPEER = 0x5441
${line}'`;
    await world.refuses({
      "another one to read": `true < ${terminal.path}`,
      "another one to write": `: > ${terminal.path}`,
      "its own by name": python(
        "m, s = pty.openpty(); os.open(os.ttyname(s), os.O_RDWR)",
      ),
      "its own as another": python(
        'm, s = pty.openpty(); os.open(f"/proc/self/fd/{s}", os.O_RDWR)',
      ),
    });
    const other = python(`for path in ("/dev/null", "/dev/urandom", "file"):
  try: fcntl.ioctl(os.open(path, os.O_RDWR if path != "/dev/urandom" else 0), TIOCGPTPEER, 2)
  except OSError as e: print(e.errno)`);
    assert.equal(await world.shell(other), "25\n25\n25");
  },
);

launchClaim(
  "a program can make many terminals, and gets each with the flags that it asks for",
  async (world) => {
    // Guards: a mediator that keeps what it opened for others, or makes a terminal its own.
    const script = `/usr/bin/python3 -c '
import fcntl, os, pty
for n in range(3000):
  m, s = pty.openpty(); os.write(s, b"x"); assert os.read(m, 1) == b"x"; os.close(m); os.close(s)
m = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY); fcntl.ioctl(m, 0x40045431, b"\\0\\0\\0\\0")
plain = fcntl.ioctl(m, 0x5441, os.O_RDWR); closed = fcntl.ioctl(m, 0x5441, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
print(*[fcntl.fcntl(fd, fcntl.F_GETFD) for fd in (plain, closed)], os.get_blocking(plain), os.get_blocking(closed))
try: os.open("/dev/tty", os.O_RDWR)
except OSError as e: print(e.errno)'`;
    const said = await world.shell(script, { ownSession: true });
    assert.equal(said, "0 1 True False\n6");
  },
);
