import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { AbsPath } from "../base/paths.ts";
import { decide, recordOf } from "./decision.ts";
import type { ManifestIdentity } from "./types.ts";

const IDENTITY: ManifestIdentity = {
  manifest: "/p/aenv.toml" as AbsPath,
  real: "/p/aenv.toml" as AbsPath,
  text: "[env]\n",
};
const TREES = { "plugin a": "1", "skill b": "2" };
const RECORD = recordOf(IDENTITY, TREES);

Deno.test("decide() wants trust where there is no record, and where it is another path's", () => {
  deepStrictEqual(decide(undefined, IDENTITY, TREES), { state: "needed" });
  const moved = { ...IDENTITY, manifest: "/q/aenv.toml" as AbsPath };
  deepStrictEqual(decide(RECORD, moved, TREES), { state: "needed" });
});

Deno.test("decide() trusts just what was recorded", () => {
  deepStrictEqual(decide(RECORD, IDENTITY, TREES), { state: "trusted" });
  deepStrictEqual(decide(RECORD, IDENTITY), { state: "trusted" });
});

Deno.test("decide() names everything that is not as it was", () => {
  const text = { ...IDENTITY, text: "[env] \n" };
  deepStrictEqual(decide(RECORD, text, TREES), {
    state: "changed",
    what: ["the manifest"],
  });
  deepStrictEqual(decide(RECORD, text), {
    state: "changed",
    what: ["the manifest"],
  });
  const link = { ...IDENTITY, real: "/other" as AbsPath };
  deepStrictEqual(decide(RECORD, link, TREES), {
    state: "changed",
    what: ["where the manifest leads"],
  });
  const trees = { "plugin a": "3", "skill c": "2" };
  deepStrictEqual(decide(RECORD, IDENTITY, trees), {
    state: "changed",
    what: ["plugin a", "skill b", "skill c"],
  });
});

Deno.test("decide() is not led by names that every object has", () => {
  const trees = { ...TREES, constructor: "1" };
  strictEqual(decide(RECORD, IDENTITY, trees).state, "changed");
});
