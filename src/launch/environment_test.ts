import assert from "node:assert/strict";
import type { AbsPath } from "../base/paths.ts";
import {
  environmentChanges,
  launchEnvironment,
  undoOuterLaunch,
} from "./environment.ts";

function launch(base: Record<string, string>): Record<string, string> {
  return launchEnvironment({
    base,
    passes: (name) => name !== "DROPPED",
    exposed: [],
    vars: { COLOUR: "blue", PRIVATE_VAR: "declared" },
    isolation: { set: { CLAUDE_CONFIG_DIR: "/slot" }, unset: ["GONE"] },
    breadcrumbs: {
      AENV: "e",
      AENV_ACTIVE: "e",
      AENV_HOME: "/a",
      AENV_LAUNCHER: "7",
    },
    shims: "/a/shims" as AbsPath,
  });
}

const CALLER = {
  PATH: "/bin:/a/shims:/usr/bin",
  CLAUDE_CONFIG_DIR: "/mine",
  GONE: "g",
  DROPPED: "d",
  PRIVATE_VAR: "sk-ant-a-former-credential",
  AENV_OVERRIDE: "e",
};

Deno.test("launchEnvironment() sets what the env declares, with the shims first on PATH once", () => {
  const { AENV_RESTORE, ...env } = launch(CALLER);
  assert.deepEqual(env, {
    PATH: "/a/shims:/bin:/usr/bin",
    CLAUDE_CONFIG_DIR: "/slot",
    COLOUR: "blue",
    PRIVATE_VAR: "declared",
    AENV: "e",
    AENV_ACTIVE: "e",
    AENV_HOME: "/a",
    AENV_LAUNCHER: "7",
  });
  assert.equal(
    AENV_RESTORE!.includes("sk-ant"),
    false,
    "a covered value must not reach the agent",
  );
});

Deno.test("undoOuterLaunch() gives a nested launch the caller's isolation variables back", () => {
  const inner = undoOuterLaunch(launch(CALLER));
  assert.equal(inner["CLAUDE_CONFIG_DIR"], "/mine");
  assert.equal(inner["GONE"], "g");
  for (
    const name of [
      "COLOUR",
      "PRIVATE_VAR",
      "AENV_RESTORE",
      "AENV_LAUNCHER",
      "AENV_ACTIVE",
    ]
  ) {
    assert.equal(name in inner, false, name);
  }
});

Deno.test("a launch inside a launch of the same env has the same environment", () => {
  const outer = launch(CALLER);
  const { PRIVATE_VAR: _, ...rest } = CALLER;
  assert.deepEqual(
    { ...launch(undoOuterLaunch(outer)), AENV_RESTORE: "" },
    { ...launch({ ...rest }), AENV_RESTORE: "" },
  );
});

Deno.test("undoOuterLaunch() refuses marks that it did not write", () => {
  assert.throws(() => undoOuterLaunch({ AENV_RESTORE: "{" }), {
    code: "VARIABLE_MISSING",
  });
});

Deno.test("environmentChanges() lists new, changed and removed variables", () => {
  assert.deepEqual(
    environmentChanges({ A: "1", B: "1", C: "1" }, { B: "2", C: "1", D: "1" }),
    {
      A: null,
      B: "2",
      D: "1",
    },
  );
});
