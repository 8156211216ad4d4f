import assert from "node:assert/strict";
import fc from "fast-check";
import { ALONE, planTests, SPECS } from "./test_plan.ts";

const NONE = { single: [], shared: [], areas: [], shares: 1, seconds: {} };

Deno.test("planTests() starts with what takes longest", () => {
  const { together } = planTests({
    ...NONE,
    single: ["a_test.ts", "b_test.ts", "c_test.ts"],
    areas: ["launch"],
    seconds: {
      "b_test.ts": 60,
      "specs/launch": 30,
      "a_test.ts": 10,
      "c_test.ts": 11,
    },
  });
  assert.deepEqual(together.map(({ name }) => name), [
    "b_test.ts",
    "specs/launch",
    "c_test.ts",
    "a_test.ts",
  ]);
  assert.deepEqual(together[1], {
    name: "specs/launch",
    files: [SPECS],
    env: { SPEC_AREA: "launch" },
    seconds: 30,
  });
});

Deno.test("planTests() deals shared files out evenly by their time", () => {
  const { together } = planTests({
    ...NONE,
    shared: ["a", "b", "c", "d", "e"],
    shares: 2,
    seconds: { a: 1, b: 6, c: 2, d: 3, e: 4 },
  });
  assert.deepEqual(together.map(({ files, seconds }) => [files, seconds]), [
    [["b", "c"], 8],
    [["a", "d", "e"], 8],
  ]);
});

Deno.test("planTests() keeps apart what must be alone, whichever part it is of", () => {
  const [file] = Object.keys(ALONE) as [string];
  for (const parts of [{ single: [file, "a"] }, { shared: [file, "a"] }]) {
    const { together, alone } = planTests({ ...NONE, ...parts });
    assert.deepEqual(together.map((job) => job.files), [["a"]]);
    assert.deepEqual(alone.map((job) => job.files), [[file]]);
  }
});

Deno.test("every file that must be alone is there", () => {
  for (const file of Object.keys(ALONE)) {
    assert.ok(Deno.statSync(new URL(`../../${file}`, import.meta.url)).isFile);
  }
});

Deno.test("planTests() runs every file once, whatever the shares and times", () => {
  const name = fc.string({ minLength: 1, maxLength: 4 });
  fc.assert(fc.property(
    fc.uniqueArray(name, { selector: (text) => text }),
    fc.nat(20),
    fc.integer({ min: 1, max: 9 }),
    fc.dictionary(name, fc.nat(100)),
    (files, cut, shares, seconds) => {
      const single = files.slice(0, cut);
      const parts = { single, shared: files.slice(cut), areas: [], shares };
      const { together, alone } = planTests({ ...parts, seconds });
      const run = [...together, ...alone].flatMap((job) => job.files);
      assert.deepEqual(run.toSorted(), files.toSorted());
      assert.ok(together.every((job) => job.files.length > 0));
    },
  ));
});
