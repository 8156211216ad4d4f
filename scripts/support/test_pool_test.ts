import assert from "node:assert/strict";
import { join } from "node:path";
import { waitFor } from "../../tests/support/process.ts";
import { capture, repositoryRoot } from "./script.ts";
import type { Job, Plan } from "./test_plan.ts";

/** Runs a plan of these files as the tests are run; returns what it printed, the tally last. */
async function runFiles(
  sources: Readonly<Record<string, string>>,
  jobs: number,
): Promise<{ output: string; tally: unknown }> {
  const directory = await Deno.makeTempDir();
  try {
    const plan: Plan = { together: [], alone: [] };
    for (const [name, source] of Object.entries(sources)) {
      const file = join(directory, `${name}_test.ts`);
      await Deno.writeTextFile(file, source);
      const stage = name.startsWith("alone") ? plan.alone : plan.together;
      const job = { name, files: [file], env: {}, seconds: 1 };
      (stage as Job[]).push(job);
    }
    const pool = new URL("./test_pool.ts", import.meta.url).href;
    const root = JSON.stringify(repositoryRoot());
    const script = `import { runPlan } from "${pool}";
      console.log(JSON.stringify(await runPlan(${
      JSON.stringify(plan)
    }, { root: ${root}, jobs: ${jobs} })));`;
    const { stdout } = await capture(Deno.execPath(), [
      "eval",
      "--no-check",
      script,
    ], { cwd: repositoryRoot(), env: { DIR: directory, NO_COLOR: "1" } });
    const lines = stdout.trimEnd().split("\n");
    return { tally: JSON.parse(lines.pop()!), output: lines.join("\n") };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A test that waits for the other one of the two. */
const meet = (own: string, other: string) =>
  `const dir = Deno.env.get("DIR") + "/";
  Deno.test("${own} meets ${other}", async () => {
    Deno.writeTextFileSync(dir + "${own}", "");
    for (;;) {
      try { Deno.statSync(dir + "${other}"); break; } catch { await new Promise((r) => setTimeout(r, 10)); }
    }
  });`;

Deno.test("runPlan() runs files side by side and keeps what each says together", async () => {
  const { output, tally } = await runFiles({
    one: meet("a", "b"),
    two: meet("b", "a"),
  }, 2);
  assert.deepEqual(tally, { passed: 2, failed: 0, ignored: 0 });
  for (const [name, own] of [["one", "a"], ["two", "b"]]) {
    const [block] = output.split("\n-- ").filter((text) =>
      text.startsWith(`${name} (`)
    );
    assert.match(block!, new RegExp(`${own} meets [^]*ok \\| 1 passed`));
  }
});

Deno.test("runPlan() counts a file that cannot be run as one failure, and shows why", async () => {
  const { output, tally } = await runFiles({
    crashes: `Deno.exit(3);`,
    throws: `throw new Error("thrown at the top");`,
    fails: `Deno.test("bad", () => { throw new Error("in the test"); });`,
    good: `Deno.test("good", () => {});`,
  }, 2);
  assert.deepEqual(tally, { passed: 1, failed: 3, ignored: 0 });
  assert.match(output, /thrown at the top/);
  assert.match(output, /in the test/);
});

Deno.test("runPlan() runs a file that must be alone when everything else has ended", async () => {
  const busy = (name: string) =>
    `const file = Deno.env.get("DIR") + "/busy-${name}";
    Deno.test("busy", async () => {
      Deno.writeTextFileSync(file, "");
      await new Promise((r) => setTimeout(r, 300));
      Deno.removeSync(file);
    });`;
  const alone = (name: string) =>
    `Deno.test("alone", () => {
      const found = [...Deno.readDirSync(Deno.env.get("DIR"))].map((e) => e.name);
      if (found.some((name) => name.startsWith("busy-"))) throw new Error(found.join());
    });
    ${busy(name)}`;
  const { tally } = await runFiles({
    one: busy("1"),
    two: busy("2"),
    alone1: alone("3"),
    alone2: alone("4"),
  }, 2);
  assert.deepEqual(tally, { passed: 6, failed: 0, ignored: 0 });
});

Deno.test("a run that is ended before its time prints what its files have said so far, and ends them", async () => {
  let output = await endedRun();
  // The name of a test that has just begun may not have been printed yet.
  for (let n = 0; n < 20 && !output.includes("hangs for ever"); n++) {
    assert.match(output, /has not ended\n/);
    output = await endedRun();
  }
  assert.match(output, /has not ended\n[^]*hangs for ever/);
});

/** What a run prints that is ended while its only test hangs. */
async function endedRun(): Promise<string> {
  const directory = await Deno.makeTempDir();
  try {
    const file = join(directory, "hangs_test.ts");
    const said = join(directory, "said");
    const source = `Deno.test("hangs for ever", async () => {
      Deno.writeTextFileSync(${JSON.stringify(said)}, String(Deno.pid));
      await new Promise((r) => setTimeout(r, 1e9));
    });`;
    await Deno.writeTextFile(file, source);
    const script = join(repositoryRoot(), "scripts/run_tests.ts");
    const run = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", script, file],
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const output = new Response(run.stdout).text();
    const pid = await waitFor("the test", () => readNumber(said));
    run.kill("SIGTERM");
    assert.equal((await run.status).code, 1);
    await waitFor("its end", () => isThere(pid) ? undefined : true);
    return await output;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function readNumber(path: string): number | undefined {
  try {
    return Number(Deno.readTextFileSync(path)) || undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function isThere(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
