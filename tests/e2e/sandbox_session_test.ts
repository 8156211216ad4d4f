/** The end of a confined session that nothing supervises: who sees it, what is told of it, and what the user may do between two. */
import assert from "node:assert/strict";
import { run, waitFor } from "../support/process.ts";
import { Tmux } from "../support/tmux.ts";
import { startAgent, waitForInput } from "./terminal_world.ts";
import { World } from "./agent_world.ts";
import { workClaim, type WorkWorld } from "./sandbox_work_world.ts";

const REFUSED = 3;

/** Waits until whoever sees to the ends of sessions has done so. */
async function settled(aenvHome: string, env: string): Promise<void> {
  const dir = `${aenvHome}/envs/${env}/protect/sessions`;
  await waitFor("the end of all sessions", () => {
    const left = [...Deno.readDirSync(dir)].length;
    return left === 0 || undefined;
  }, 60_000);
}

async function ended(world: WorkWorld): Promise<void> {
  await settled(world.env["AENV_HOME"]!, "box");
}

/** Writes a file of the project as the user, outside. */
function write(world: WorkWorld, name: string, text: string): void {
  world.write(`work/project/${name}`, text);
  world.own();
}

/** A session that runs until its input ends. */
class Running {
  readonly child: Deno.ChildProcess;

  constructor(world: WorkWorld, script = "echo here; cat") {
    const [program, args] = world.command("bash", "-c", script);
    this.child = new Deno.Command(program, {
      args: [...args],
      env: { ...world.env },
      clearEnv: true,
      cwd: world.project,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  }

  /** The process that waits for its end, once the session has begun. */
  async watcher(): Promise<number> {
    const reader = this.child.stdout.getReader();
    await reader.read();
    reader.releaseLock();
    return await waitFor("the watcher", () => watcherOf(this.child.pid));
  }

  async end(): Promise<void> {
    await this.child.stdin.close();
    await this.child.stdout.cancel();
    await this.child.status;
  }
}

/** What a process calls itself; undefined when it has ended. */
function nameOf(pid: number): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/comm`);
  } catch (error) {
    const isGone = error instanceof Deno.errors.NotFound ||
      String(error).includes("os error 3");
    if (!isGone) throw error;
    return undefined;
  }
}

/** The watcher below a process. */
function watcherOf(pid: number): number | undefined {
  const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
  return children.split(" ").filter((each) => each !== "").map(Number)
    .find((each) => nameOf(each) === "aenv-watch\n");
}

workClaim(
  "what the user changes by hand between two sessions stops nothing",
  async (world) => {
    write(world, ".vscode/tasks.json", "{}");
    await world.prints("git init -q; git commit -q --allow-empty -m x");
    for (const text of ["one", "two"]) {
      await ended(world);
      write(world, ".vscode/tasks.json", text);
      write(world, ".envrc", text);
      write(world, "deep/.envrc", text);
      write(world, ".git/hooks/post-commit", `#!/bin/sh\n# ${text}\n`);
      assert.equal(await world.prints("cat .envrc"), text);
    }
  },
);

workClaim(
  "what a session changes is told before the next one, and by then it may be taken or put back",
  async (world) => {
    write(world, ".envrc", "mine");
    await world.prints("true");
    for (const [option, left] of [["--accept", "evil"], ["--revert", "mine"]]) {
      await ended(world);
      write(world, ".envrc", "mine");
      await world.prints("echo evil > .envrc");
      await ended(world);
      const next = await world.shell("true");
      assert.equal(next.code, REFUSED);
      assert.match(
        next.stderr,
        /changed since the last session began: "\.envrc"/,
      );
      const review = await world.aenv([
        "sandbox",
        "review",
        "-E",
        "box",
        option!,
      ]);
      assert.equal(review.code, 0, review.stderr);
      assert.equal(await world.prints("cat .envrc"), left);
    }
  },
);

workClaim(
  "what git writes in normal work stops nothing, and what runs something does",
  async (world) => {
    await world.prints(`git init -q; git commit -q --allow-empty -m x
git init -q --bare ../project/origin`);
    await ended(world);
    const { code, stderr } = await run("git", [
      "-c",
      "safe.directory=*",
      "remote",
      "add",
      "origin",
      "./origin",
    ], {
      ...{ env: world.env, cwd: world.project },
    });
    assert.equal(code, 0, stderr);
    world.own();
    await world.prints(
      `git push -q -u origin main; git checkout -q -b side --track main
git config user.name 'A B'
git init -q sub; git -C sub remote add origin git@example.com:x.git`,
    );
    await ended(world);
    await world.prints("git config core.hooksPath evil");
    await ended(world);
    const next = await world.shell("true");
    assert.equal(next.code, REFUSED);
    assert.match(next.stderr, /"\.git\/config"/);
  },
);

workClaim(
  "what a session changed and put back is told at the next start, and stops nothing",
  async (world) => {
    write(world, ".vscode/tasks.json", "{}");
    await world.prints("true");
    await ended(world);
    await world.prints(
      `echo evil > .vscode/tasks.json; echo -n {} > .vscode/tasks.json
echo evil > .mcp.json; rm .mcp.json`,
    );
    await ended(world);
    const next = await world.shell("true");
    assert.equal(next.code, 0);
    assert.match(
      next.stderr,
      /changed in a session and put back: "\.mcp\.json", "\.vscode\/tasks\.json"/,
    );
    await ended(world);
    assert.doesNotMatch((await world.shell("true")).stderr, /put back/);
  },
);

workClaim(
  "when nobody saw the end of a session, everything since is taken for its doing",
  async (world) => {
    const session = new Running(world);
    const watcher = await session.watcher();
    Deno.kill(watcher, "SIGKILL");
    await session.end();
    write(world, ".envrc", "mine");
    const next = await world.shell("true");
    assert.equal(next.code, REFUSED);
    assert.match(next.stderr, /"\.envrc"/);
  },
);

workClaim("a session ends with the last of its processes", async (world) => {
  const [program, args] = world.command(
    "bash",
    "-c",
    `echo done
setsid bash -c 'until [ -e go ]; do sleep 0.1; done; echo evil > .envrc' >/dev/null 2>&1 </dev/null &`,
  );
  const call = { env: world.env, cwd: world.project };
  // Whoever reads what it prints does not wait for what it left behind, nor for who watches it.
  const { stdout } = await run(program, args, call);
  assert.equal(stdout, "done\n");
  const dir = `${world.env["AENV_HOME"]}/envs/box/protect/sessions`;
  assert.equal([...Deno.readDirSync(dir)].length, 1);
  // One beside it starts all the same.
  await world.prints("true");
  write(world, "go", "");
  await ended(world);
  assert.equal((await world.shell("true")).code, REFUSED);
});

workClaim(
  "the directory of a session goes with it, and nothing that links in it lead to",
  async (world) => {
    const runs = `${world.env["AENV_HOME"]}/runs`;
    write(world, "kept/file", "kept");
    await world.prints(
      'mkdir "$TMPDIR/d"; ln -s "$PWD/kept" "$TMPDIR/d/l"; ls -d "$TMPDIR"',
    );
    await ended(world);
    await waitFor(
      "the directory to be gone",
      () => [...Deno.readDirSync(runs)].length === 0 || undefined,
    );
    const kept = `${world.project}/kept/file`;
    assert.equal(Deno.readTextFileSync(kept), "kept");
  },
);

workClaim(
  "whoever waits for the end of a session holds a few pages",
  async (world) => {
    const session = new Running(world);
    const watcher = await session.watcher();
    const held = (name: string) => {
      const text = Deno.readTextFileSync(`/proc/${watcher}/smaps_rollup`);
      return Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)?.[1]);
    };
    await waitFor(
      "its memory to be given back",
      () => held("Rss") < 64 || undefined,
    );
    assert.ok(held("Pss") <= 32, `${held("Pss")} kB`);
    const open = [...Deno.readDirSync(`/proc/${watcher}/fd`)].length;
    assert.ok(open <= 7, `${open} descriptors`);
    await session.end();
  },
);

workClaim(
  "closing the terminal ends a session like any other",
  async (world) => {
    const [program, args] = world.command(
      "bash",
      "-c",
      "echo evil > .envrc; echo written; sleep 1000",
    );
    const words = [program, ...args].map((word) => `'${word}'`).join(" ");
    {
      await using tmux = await Tmux.open({
        cwd: world.project,
        env: world.env,
      });
      await tmux.start(words);
      await tmux.waitForLine(/^written$/);
    }
    await ended(world);
    write(world, ".mcp.json", "mine");
    const review = await world.aenv([
      "sandbox",
      "review",
      "-E",
      "box",
      "--json",
    ]);
    assert.equal(review.code, 1);
    // What was made since is not the session's, but nobody can tell once there is something to look at.
    assert.match(review.stdout, /\.envrc/);
  },
);

workClaim(
  "a change is shown on the terminal when the session ends; Ctrl-C keeps nobody from it",
  async (world) => {
    const [program, args] = world.command(
      "bash",
      "-c",
      "echo evil > .envrc; echo written; sleep 1000",
    );
    const words = [program, ...args].map((word) => `'${word}'`).join(" ");
    await using tmux = await Tmux.open({ cwd: world.project, env: world.env });
    await tmux.start(words);
    await tmux.waitForLine(/^written$/);
    await tmux.keys("C-c");
    await tmux.waitForLine(/aenv: protected files were changed: "\.envrc"/);
  },
);

Deno.test("a model that the agent is told to use is remembered, and stops no start", async () => {
  await using world = await World.open();
  world.writeUserState([world.project]);
  world.writeEnv("private", 'isolation = "private"\n[sandbox]\nenabled = true');
  const settings = `${world.aenv.root}/envs/private/claude/settings.json`;
  {
    await using tmux = await Tmux.open({
      cwd: world.project,
      env: world.envOf("private"),
    });
    await startAgent(tmux);
    await tmux.type("/model opus");
    await waitFor("the settings", () => {
      try {
        return /"model"/.test(Deno.readTextFileSync(settings)) || undefined;
      } catch {
        return undefined;
      }
    });
    await waitForInput(tmux);
    await tmux.type("/exit");
    await tmux.exitCode();
  }
  await settled(world.aenv.root, "private");
  const next = await world.aenv.claude("private", ["--version"]);
  assert.equal(next.code, 0, next.stderr);
  assert.doesNotMatch(next.stderr, /put back/);
  await settled(world.aenv.root, "private");
});

Deno.test("what the agent itself changes is told when it has ended, and in the audit log", async () => {
  await using world = await World.open({
    steps: () => [{
      bash: `python3 -c 'open(".envrc", "w").write("evil\\n")'; echo done`,
    }],
  });
  world.writeEnv("private", 'isolation = "private"\n[sandbox]\nenabled = true');
  const args = ["-p", "hello", "--allowedTools=Bash"];
  const first = await world.aenv.claude("private", args);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(Deno.readTextFileSync(`${world.project}/.envrc`), "evil\n");
  await settled(world.aenv.root, "private");
  Deno.writeTextFileSync(`${world.project}/.mcp.json`, "{}");
  const next = await world.aenv.claude("private", args);
  assert.equal(next.code, REFUSED);
  assert.match(next.stderr, /"\.envrc"/);
  const log = await world.aenv.must(["audit", "--json"]);
  assert.match(log, /files-changed[^]*\.envrc/);
});
