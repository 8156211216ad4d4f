/** Protected directories: read-only where the kernel gives a mount namespace. */
import assert from "node:assert/strict";
import type { AbsPath } from "../../src/base/paths.ts";
import type { ProtectedPath } from "../../src/sandbox/types.ts";
import { waitFor } from "../support/process.ts";
import { Servers } from "./servers.ts";
import { claim, type RunParts, type World } from "./world.ts";

const WHY = { source: "git", text: "a test" } as const;

/** The project's hooks are protected. */
function protecting(world: World): RunParts {
  const hooks: ProtectedPath = {
    path: `${world.project}/.git/hooks` as AbsPath,
    state: "directory",
    tree: true,
    why: WHY,
  };
  return { supervised: true, policy: { protected: [hooks] } };
}

claim("hooks of the repository cannot be written", async (world) => {
  // Guards: code that git runs outside, later, for the user.
  const hooks = `${world.project}/.git/hooks`;
  const parts = protecting(world);
  const hook = `${hooks}/pre-commit`;
  await world.isStopped(["open", hook, "w"], "EROFS", parts);
  await world.isStopped(
    ["open", `${hooks}/post-checkout`, "wc"],
    "EROFS",
    parts,
  );
  await world.isStopped(["mkdir", `${hooks}/dir`], "EROFS", parts);
  const book = `${world.project}/file`;
  assert.match(await world.attack(["link", book, `${hooks}/x`], parts), /^E/);
  assert.match(await world.attack(["rename", book, `${hooks}/x`], parts), /^E/);
  assert.equal(await world.attack(["unlink", hook], parts), "EROFS");
  const alias = `/proc/self/root${hook}`;
  assert.equal(await world.attack(["open", alias, "w"], parts), "EROFS");
  assert.equal(Deno.readTextFileSync(hook), "#!/bin/sh\n");
});

claim("what holds the hooks cannot be moved away", async (world) => {
  // Guards: another directory under the old name, with other hooks.
  const parts = protecting(world);
  const git = `${world.project}/.git`;
  const moved = `${world.project}/moved`;
  for (
    const words of [
      ["rename", git, moved],
      ["rename", `${git}/hooks`, `${git}/old`],
      ["exchange", git, moved],
      ["rmdir", `${git}/hooks`],
    ]
  ) {
    Deno.mkdirSync(moved, { recursive: true, mode: 0o777 });
    assert.match(await world.attack(words, parts), /^E(BUSY|ROFS)$/, words[0]);
  }
});

claim("the read-only mount cannot be taken off", async (world) => {
  // Guards: a namespace inside, in which the attacker would be root.
  const parts = protecting(world);
  const hooks = `s:${world.project}/.git/hooks`;
  const [umount, mount] = Deno.build.arch === "aarch64"
    ? ["39", "40"]
    : ["166", "165"];
  const MNT_DETACH = "2";
  const REMOUNT_BIND = "0x1020";
  const words = ["call", umount!, hooks, MNT_DETACH];
  assert.equal(await world.attack(words, parts), "EPERM");
  const remount = [
    "call",
    mount!,
    "s:none",
    hooks,
    "s:none",
    REMOUNT_BIND,
    "0",
  ];
  assert.equal(await world.attack(remount, parts), "EPERM");
  assert.equal(await world.attack(["unshare", "0x10020000"], parts), "EPERM");
});

claim("git works beside protected hooks", async (world) => {
  // Guards: a protection that stops work is switched off.
  const script = `set -e
    git add file && git commit -q --no-verify -m one && git branch other
    git worktree add -q ../tmp/tree other && git -C ../tmp/tree log --format=%s
    git gc -q && git stash list && printf ok`;
  const init = "git init -q .; git config user.name x; " +
    "git config user.email x@y.z";
  await world.run("/usr/bin/bash", ["-c", init]);
  const { output, errors } = await world.run(
    "/usr/bin/bash",
    ["-c", script],
    protecting(world),
  );
  assert.equal(output, "one\nok", errors);
});

claim("what is not granted is read-only as a whole", async (world) => {
  // Guards: what Landlock has no rule for: modes, times and owners, and the files themselves once more.
  const parts = protecting(world);
  for (const name of ["home/.bashrc", "library/book"]) {
    const path = `${world.dir.path}/${name}`;
    await world.isStopped(["chmod", path, "0600"], "EROFS", parts);
  }
  const own = ["chmod", `${world.project}/file`, "0600"];
  assert.equal(await world.attack(own, parts), "done");
  const script = 'echo a > "$TMPDIR/x" && mv "$TMPDIR/x" . && cat x && ' +
    "echo > /dev/null && python3 -c 'import multiprocessing as m; m.Pool(1)'";
  const { output, errors } = await world.run(
    "/usr/bin/bash",
    ["-c", script],
    parts,
  );
  assert.equal(output, "a\n", errors);
});

claim("memory that is shared by number is the sandbox's own", async (world) => {
  // Guards: System V memory, which databases need and in which windows' pictures lie.
  const script = "ipcmk -M 4096 > /dev/null && ipcs -m | grep -c 4096";
  const { output } = await world.run(
    "/usr/bin/bash",
    ["-c", script],
    protecting(world),
  );
  assert.equal(output, "1\n");
});

claim("a namespace takes nothing from the other protections", async (world) => {
  // Guards: the namespace gives capabilities, which have to be gone before the program.
  using servers = new Servers();
  const proxy = servers.tcp("127.0.0.1", "the proxy");
  const network = {
    mode: "hosts",
    allow: [],
    ports: [],
    proxy: { port: proxy },
  } as const;
  const parts = { ...protecting(world), network };
  const { output } = await world.run("/usr/bin/grep", [
    "^Cap",
    "/proc/self/status",
  ], parts);
  assert.equal(output.match(/\t0{16}$/gm)?.length, 5, output);
  const key = `${world.home}/.ssh/id_rsa`;
  assert.equal(await world.attack(["read", key], parts), "EACCES");
  assert.equal(await world.attack(["kill", "1", "0"], parts), "EPERM");
  const there = ["connect-tcp", "127.0.0.1", `${proxy}`];
  assert.equal(await world.attack(there, parts), "done the proxy");
  const own = ["serve-unix", "relative.sock"];
  assert.equal(await world.attack(own, parts), "done from inside");
  const { output: who } = await world.run("/usr/bin/id", ["-u"], parts);
  assert.equal(
    who.trim(),
    world.user === "root" ? "0" : `${Deno.uid() || 64321}`,
  );
});

claim("nothing that is mounted inside is seen outside", async (world) => {
  // Guards: as root the namespace is made without a user namespace, and mounts would spread.
  const script = "until [ -e go ]; do sleep 0.02; done";
  const running = world.run(
    "/usr/bin/bash",
    ["-c", `touch started; ${script}`],
    protecting(world),
  );
  const started = `${world.project}/started`;
  await waitFor("it has started", () => exists(started) || undefined);
  const mounts = Deno.readTextFileSync("/proc/self/mounts");
  Deno.writeTextFileSync(`${world.project}/go`, "");
  await running;
  assert.ok(!mounts.includes(world.dir.path));
  Deno.writeTextFileSync(`${world.project}/.git/hooks/pre-commit`, "outside");
});

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
