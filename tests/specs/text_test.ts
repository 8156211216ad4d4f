import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { fillIn, generalise, matches } from "./text.ts";

const PLACES = { "[HOME]": "/t/home", "[CWD]": "/t/home/work", "[TEMP]": "/t" };

Deno.test("matches() compares whole texts, but for the last line end", () => {
  strictEqual(matches("a\nb\n", "a\nb"), true);
  strictEqual(matches("a\nb", "a\nb\n"), true);
  strictEqual(matches("a\nb", "a"), false);
  strictEqual(matches("xa", "a"), false);
  strictEqual(matches("", ""), true);
  strictEqual(matches("a.c", "abc"), false);
  strictEqual(matches("abc", "a.c"), false);
  strictEqual(matches("[a] (b)* $", "[a] (b)* $"), true);
});

Deno.test("matches() lets WILDCARD stand for anything and WILDLINE for a part of a line", () => {
  strictEqual(matches("a\nb\nc", "a[WILDCARD]c"), true);
  strictEqual(matches("ac", "a[WILDCARD]c"), true);
  strictEqual(matches("a\nb", "[WILDLINE]"), false);
  strictEqual(matches("ab\nc", "a[WILDLINE]\nc"), true);
  strictEqual(matches("a\nd", "a[WILDCARD]c"), false);
});

Deno.test("generalise() and fillIn() are each other's opposite for paths", () => {
  const text = "/t/home/work/x /t/home/y /t/z";
  const general = "[CWD]/x [HOME]/y [TEMP]/z";
  strictEqual(generalise(text, PLACES), general);
  strictEqual(fillIn(general, PLACES), text);
});

Deno.test("generalise() hides what differs from run to run", () => {
  const seen = [
    "/t/home/.aenv/runs/123-4567/run.json",
    "/t/home/.aenv/envs/proj-0a1b2c3d/claude",
    "claude (process 42) runs",
    "AENV_LAUNCHER=42",
    '"AENV_LAUNCHER": "42"',
    "AENV_LAUNCHER=supervisor:42",
  ].map((text) => generalise(text, PLACES));
  deepStrictEqual(seen, [
    "[HOME]/.aenv/runs/[RUN]/run.json",
    "[HOME]/.aenv/envs/proj-[HASH]/claude",
    "claude (process [PID]) runs",
    "AENV_LAUNCHER=[PID]",
    '"AENV_LAUNCHER": "[PID]"',
    "AENV_LAUNCHER=supervisor:[PID]",
  ]);
});

Deno.test("fillIn() leaves other words in brackets alone", () => {
  strictEqual(fillIn("[env] [WILDCARD] [X]", PLACES), "[env] [WILDCARD] [X]");
});
