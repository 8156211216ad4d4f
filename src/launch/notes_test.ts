import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { slotAt } from "../base/dirs.ts";
import type { AbsPath } from "../base/paths.ts";
import { untold } from "./notes.ts";

Deno.test("untold() gives each note once, whatever else is said beside it", () => {
  using temp = new TempDir();
  const slot = slotAt(temp.path as AbsPath);
  deepStrictEqual(untold([], slot), []);
  deepStrictEqual([...Deno.readDirSync(temp.path)], []);
  deepStrictEqual(untold(["a", "b"], slot), ["a", "b"]);
  deepStrictEqual(untold(["b", "c\nd"], slot), ["c\nd"]);
  deepStrictEqual(untold(["c\nd", "a"], slot), []);
  strictEqual(Deno.statSync(slot.told).mode! & 0o777, 0o600);
});

Deno.test("untold() starts its record anew when that is long", () => {
  using temp = new TempDir();
  const slot = slotAt(temp.path as AbsPath);
  untold(["x".repeat(70_000)], slot);
  deepStrictEqual(untold(["a"], slot), ["a"]);
  strictEqual(Deno.readTextFileSync(slot.told), "a\n");
});
