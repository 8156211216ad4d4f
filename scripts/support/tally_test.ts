import assert from "node:assert/strict";
import { join } from "node:path";
import { capture } from "./script.ts";
import { parseSummary, type Tally } from "./tally.ts";

/** The tally of a real `deno test` of one file with this source. */
async function tallyOf(
  source: string,
  flags: readonly string[] = [],
): Promise<Tally> {
  const directory = await Deno.makeTempDir();
  try {
    const file = join(directory, "a_test.ts");
    await Deno.writeTextFile(file, source);
    const run = await capture(Deno.execPath(), [
      "test",
      "--no-config",
      "--quiet",
      ...flags,
      file,
    ], { cwd: directory });
    return parseSummary(run.stdout, run.success);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("parseSummary() counts what deno test really prints", async () => {
  const good =
    'Deno.test("good", async (t) => { await t.step("s", () => {}); });';
  const bad = 'Deno.test("bad", () => { throw new Error("x"); });';
  const ignored = 'Deno.test.ignore("ignored", () => {});';
  const ignoredStep =
    'Deno.test("g", async (t) => { await t.step({ name: "s", ignore: true, fn() {} }); });';
  const cases: [string, Tally][] = [
    [good, { passed: 1, failed: 0, ignored: 0 }],
    [good + bad, { passed: 1, failed: 1, ignored: 0 }],
    [good + bad + ignored, { passed: 1, failed: 1, ignored: 1 }],
    [ignoredStep, { passed: 1, failed: 0, ignored: 1 }],
  ];
  for (const [source, expected] of cases) {
    assert.deepEqual(await tallyOf(source, ["--no-check"]), expected, source);
  }
});

Deno.test("parseSummary() counts a run that did not get to its tests as a failure", async () => {
  for (const source of ["const a: number = 'x'; a;", "throw new Error('x');"]) {
    const { passed, failed } = await tallyOf(source);
    assert.deepEqual({ passed, failed }, { passed: 0, failed: 1 }, source);
  }
  assert.equal(
    parseSummary("ok | 3 passed | 0 failed (1ms)\n", false).failed,
    1,
  );
});

Deno.test("parseSummary() sees through colours and takes the last summary", () => {
  const output =
    "ok | 9 passed | 0 failed (1ms)\n\u001b[32mok\u001b[0m | 2 passed | 0 failed \u001b[90m(1ms)\u001b[0m\n";
  assert.deepEqual(parseSummary(output, true), {
    passed: 2,
    failed: 0,
    ignored: 0,
  });
});
