import assert from "node:assert/strict";
import { run, waitFor } from "../../tests/support/process.ts";
import { TempDir } from "../../tests/support/temp.ts";

const linux = { ignore: Deno.build.os !== "linux" };
const ROOT = decodeURIComponent(new URL("../..", import.meta.url).pathname);

/** Starts a watcher of itself that runs `then`, says its process id, and does `next`. */
const SCRIPT = `
import { becomeProgram } from "./src/os/exec.ts";
import { openProcess } from "./src/os/pidfd.ts";
import { watchEnd } from "./src/os/watcher.ts";
import { syscall } from "./src/os/syscall.ts";
const [then, next, ...more] = Deno.args;
const hands = more.includes("hand") ? [syscall("openat", -100, new TextEncoder().encode("/etc/hostname\\0"), 0o2000000, 0)] : [];
const watcher = watchEnd({
  pidfd: openProcess(Deno.pid),
  program: { path: "/bin/sh", args: ["-c", then], env: { HAND: String(hands[0]) } },
  hands,
  keepsErrors: more.includes("errors"),
});
if (!watcher) Deno.exit(99);
if (more.includes("cancel")) watcher.cancel();
if (next === "") Deno.exit(5);
becomeProgram({ path: "/bin/sh", args: ["-c", next, "sh", String(watcher.pid)], env: { PATH: "/usr/bin:/bin" } });
`;

async function watched(then: string, next: string, ...more: string[]) {
  const args = ["eval", "--ext=ts", SCRIPT, then, next, ...more];
  const env = Deno.env.toObject();
  return await run(Deno.execPath(), args, { cwd: ROOT, env });
}

function text(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

Deno.test(
  "watchEnd() runs its program when this one has become another and that has ended",
  linux,
  async () => {
    using dir = new TempDir();
    const { code, stdout, stderr } = await watched(
      `cat ${dir.path}/said > ${dir.path}/then`,
      `echo inside; echo late > ${dir.path}/said; exit 7`,
    );
    assert.deepEqual([code, stdout], [7, "inside\n"], stderr);
    const found = await waitFor(
      "the end",
      () => text(`${dir.path}/then`) || undefined,
    );
    assert.equal(found, "late\n");
  },
);

Deno.test(
  "watchEnd() runs its program when this one ends without becoming another",
  linux,
  async () => {
    using dir = new TempDir();
    const { code } = await watched(`echo ended > ${dir.path}/then`, "");
    assert.equal(code, 5);
    await waitFor("the end", () => text(`${dir.path}/then`) || undefined);
  },
);

Deno.test(
  "a watcher holds a few pages while it waits, its own session, and none of this program's descriptors",
  linux,
  async () => {
    const { stdout, stderr } = await watched(
      ":",
      `while ! grep -q '^Rss: *[0-9]\\{1,2\\} kB' /proc/$1/smaps_rollup; do sleep 0.05; done
cat /proc/$1/comm; readlink /proc/$1/cwd; cut -d' ' -f6 /proc/$1/stat
ls /proc/$1/fd | wc -l; for fd in 0 1 2; do readlink /proc/$1/fd/$fd; done
tr '\\0' ' ' < /proc/$1/environ; echo
sed -n 's/^Rss: *//p' /proc/$1/smaps_rollup; echo $1`,
    );
    const lines = stdout.trim().split("\n");
    const pid = lines.at(-1);
    assert.deepEqual(lines.slice(0, -2), [
      ...["aenv-watch", "/", pid, "5"],
      ...["/dev/null", "/dev/null", "/dev/null", ""],
    ], stdout + stderr);
    assert.ok(parseInt(lines.at(-2)!) <= 48, lines.at(-2));
  },
);

Deno.test(
  "a watcher is no child that one waits for, and survives signals",
  linux,
  async () => {
    using dir = new TempDir();
    const next = `exec python3 -c '
import os, signal, sys
watcher = int(sys.argv[1])
try: print(os.wait())
except ChildProcessError: print("no children")
for each in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM): os.kill(watcher, each)
' $1`;
    const { stdout, stderr } = await watched(
      `echo $HAND; readlink /proc/$$/fd/$HAND > ${dir.path}/then`,
      next,
      "hand",
    );
    assert.equal(stdout, "no children\n", stderr);
    const found = await waitFor(
      "the end",
      () => text(`${dir.path}/then`) || undefined,
    );
    assert.equal(found, "/etc/hostname\n");
  },
);

Deno.test(
  "a watcher keeps standard error where it is told to",
  linux,
  async () => {
    const { stderr } = await watched("echo told >&2", "exit 0", "errors");
    assert.equal(stderr, "told\n");
  },
);

Deno.test("a watcher that is cancelled runs nothing", linux, async () => {
  const { stdout } = await watched(
    "echo wrong >&2",
    "ls -d /proc/$1 2>&1",
    "errors",
    "cancel",
  );
  assert.match(stdout, /No such file/);
});
