import assert from "node:assert/strict";
import { formatTable, measure, median, medianOfPairs } from "./measure.ts";

Deno.test("median() takes the middle by value, not by text", () => {
  assert.equal(median([100, 9, 20]), 20);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.throws(() => median([]));
});

Deno.test("formatTable() aligns the first column left and the others right", () => {
  assert.equal(
    formatTable([["case", "ms"], ["a", "1.0"], ["longer", "10.5"]]),
    "case      ms\na        1.0\nlonger  10.5",
  );
});

Deno.test("measure() counts each round once and refuses a program that fails", async () => {
  const base = { program: Deno.execPath(), env: {}, cwd: Deno.cwd() };
  const good = { ...base, name: "good", args: ["--version"] };
  const [sample] = await measure([good], 2);
  assert.equal(sample!.times.length, 2);
  assert.ok(sample!.times.every((time) => time > 0));
  const bad = { ...base, name: "bad", args: ["--no-such-flag"] };
  await assert.rejects(measure([good, bad], 1), /bad exited with/);
});

Deno.test("medianOfPairs() compares what was measured in the same round", () => {
  const times = [[10, 1, 100], [11, 3, 101]] as const;
  assert.equal(medianOfPairs(times[1], times[0], (a, b) => a - b), 1);
});
