import {
  deepStrictEqual,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { processStart, run } from "./process.ts";

const env = { PATH: "/usr/bin:/bin" };

function sh(script: string, options = {}) {
  return run("/bin/sh", ["-c", script], { env, ...options });
}

const posix = { ignore: Deno.build.os === "windows" };

Deno.test("run() returns exit code and both outputs", posix, async () => {
  deepStrictEqual(await sh("echo out; echo err >&2; exit 5"), {
    code: 5,
    stdout: "out\n",
    stderr: "err\n",
    timedOut: false,
  });
});

Deno.test("run() reports 128 + n for signal n", posix, async () => {
  strictEqual((await sh("kill -TERM $$")).code, 143);
});

Deno.test(
  "run() hands over its environment and nothing of ours",
  posix,
  async () => {
    const { stdout } = await run("/usr/bin/env", [], { env: { A: "b c" } });
    strictEqual(stdout, "A=b c\n");
  },
);

Deno.test(
  "run() works in the directory it is told, with an empty standard input",
  posix,
  async () => {
    using temp = new TempDir();
    const { stdout } = await sh("pwd; cat", { cwd: temp.path });
    strictEqual(stdout, temp.path + "\n");
  },
);

Deno.test("run() takes more output than a pipe holds", posix, async () => {
  const script = "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2";
  const { stdout, stderr } = await sh(script);
  deepStrictEqual([stdout.length, stderr.length], [300_000, 300_000]);
});

Deno.test(
  "run() throws when the program cannot be started",
  posix,
  async () => {
    await rejects(() => run("/no/such", [], { env }), {
      code: "IO",
      message: 'Cannot run "/no/such": it does not exist',
    });
    await rejects(() => run("/etc/passwd", [], { env }), {
      code: "IO",
      message: 'Cannot run "/etc/passwd": permission denied',
    });
  },
);

Deno.test(
  "run() kills a program at its timeout and keeps what it said",
  posix,
  async () => {
    const start = performance.now();
    const result = await sh("echo early; exec sleep 30", { timeout: 2000 });
    deepStrictEqual([result.timedOut, result.stdout], [true, "early\n"]);
    strictEqual(result.code, 137);
    ok(performance.now() - start < 25_000);
  },
);

Deno.test(
  "run() does not wait for a grandchild that keeps the pipes open after the timeout",
  posix,
  async () => {
    const start = performance.now();
    // The shell that is killed is not the `sleep` that holds the pipe.
    const { timedOut } = await sh("sleep 60; true", { timeout: 200 });
    strictEqual(timedOut, true);
    ok(performance.now() - start < 40_000);
  },
);

Deno.test("run() leaves no timer behind", posix, async () => {
  const { timedOut } = await sh("true", { timeout: 60_000 });
  strictEqual(timedOut, false);
});

Deno.test(
  "processStart() is the same each time, differs between processes, and is gone with the process",
  posix,
  async () => {
    const own = processStart(Deno.pid);
    ok(own !== undefined && /^[A-Za-z0-9_]+$/.test(own), own);
    strictEqual(processStart(Deno.pid), own);
    const child = new Deno.Command("/bin/sleep", { args: ["60"] }).spawn();
    const started = processStart(child.pid);
    ok(started !== undefined);
    notStrictEqual(started, own);
    child.kill("SIGKILL");
    await child.status;
    strictEqual(processStart(child.pid), undefined);
  },
);

// A claim about /proc: elsewhere there is nothing to test.
if (Deno.build.os === "linux") {
  Deno.test("processStart() reads past any process name, also one cut inside a character", async () => {
    using temp = new TempDir();
    // 15 bytes are kept: the last é is cut in half.
    for (const name of ["a b) R 1 2 3 (", "x) Z", "ééééééééé"]) {
      const path = `${temp.path}/${name}`;
      await Deno.copyFile("/bin/sleep", path);
      await Deno.chmod(path, 0o755);
      const child = new Deno.Command(path, { args: ["60"] }).spawn();
      try {
        const line = await Deno.readFile(`/proc/${child.pid}/stat`);
        const tail = new TextDecoder("latin1").decode(line).split(") ").at(-1);
        strictEqual(processStart(child.pid), tail?.split(" ")[19], name);
      } finally {
        child.kill("SIGKILL");
        await child.status;
      }
    }
  });
}
