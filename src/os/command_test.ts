import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { AppError } from "../base/errors.ts";
import { runCommand } from "./command.ts";

const OPTIONS = { env: {}, timeoutMs: 20_000, maxOutputBytes: 1000 };

function sh(
  script: string,
  options: Partial<Parameters<typeof runCommand>[2]> = {},
) {
  return runCommand("/bin/sh", ["-c", script], { ...OPTIONS, ...options });
}

Deno.test("runCommand() gives code and output, with nothing of our environment", async () => {
  const done = await sh('echo "out $HOME"; echo err >&2; exit 3', {
    env: { HOME: "/x" },
  });
  strictEqual(done.code, 3);
  strictEqual(done.stdout, "out /x\n");
  strictEqual(done.stderr, "err\n");
  strictEqual(done.ended, undefined);
});

Deno.test("runCommand() feeds standard input, and does not mind a program that does not read it", async () => {
  const input = "x".repeat(500);
  strictEqual((await sh("cat", { input })).stdout, input);
  const large = "x".repeat(1_000_000);
  strictEqual((await sh("exec true", { input: large })).code, 0);
});

Deno.test("runCommand() ends a program after its time, also when another holds the pipes", async () => {
  const start = performance.now();
  const done = await sh("sleep 60 & sleep 60", { timeoutMs: 100 });
  strictEqual(done.ended, "timeout");
  ok(performance.now() - start < 40_000);
});

Deno.test("runCommand() ends a program that does not listen when it is asked to end", async () => {
  // Before its time is up it must have come so far.
  const done = await sh('trap "" TERM; while :; do sleep 0.1; done', {
    timeoutMs: 2000,
  });
  strictEqual(done.ended, "timeout");
  strictEqual(done.code, 137);
});

Deno.test("runCommand() ends a program that writes too much", async () => {
  const done = await sh("while :; do echo 0123456789; done");
  strictEqual(done.ended, "output");
  ok(done.stdout.length <= 1000);
});

Deno.test("runCommand() throws the signal's reason, and what the watcher throws", async () => {
  const stop = new AbortController();
  const running = sh("sleep 20", { signal: stop.signal });
  const reason = new Error("enough");
  stop.abort(reason);
  await rejects(running, reason);
  await rejects(sh("true", { signal: stop.signal }), reason);
  const full = new Error("full");
  const watch = () => {
    throw full;
  };
  await rejects(sh("sleep 20", { watch }), full);
  await rejects(sh("true", { watch }), full);
});

Deno.test("runCommand() says which program cannot be started", async () => {
  await rejects(runCommand("/nonexistent", [], OPTIONS), (error) => {
    ok(error instanceof AppError);
    match(error.message, /Cannot run "\/nonexistent": it does not exist/);
    return true;
  });
});
