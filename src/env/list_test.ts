import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import { parseEnvName } from "../base/ids.ts";
import { listEnvs } from "./list.ts";
import { projectSlotName } from "./open.ts";
import { beginRun } from "./runs.ts";

/** Name, scope, active, broken or orphaned, of each row. */
function rows(world: EnvWorld, env: Record<string, string> = {}) {
  return listEnvs(world.host(env)).envs.map((row) => [
    (row.active ? "*" : " ") + row.name,
    row.scope,
    row.orphaned ? "orphaned" : row.broken,
  ]);
}

/** A project at `place` and its slot, as a launch makes it. */
function project(world: EnvWorld, place: string, name: string): string {
  const manifest = world.write(`${place}/aenv.toml`, `[env]\nname="${name}"\n`);
  const slot = projectSlotName(parseEnvName(name), world.path(place));
  world.write(`.aenv/envs/${slot}/project`, manifest + "\n");
  return slot;
}

Deno.test("listEnvs() on an untouched machine lists global, and makes nothing", () => {
  using world = new EnvWorld();
  deepStrictEqual(rows(world), [["*global", "global", null]]);
  strictEqual(world.exists(".aenv"), false);
});

Deno.test("listEnvs() puts global first, then names, then projects, and marks the active one", () => {
  using world = new EnvWorld();
  world.env("b");
  world.env("a");
  project(world, "p", "a");
  deepStrictEqual(rows(world), [
    [" global", "global", null],
    [" a", "named", null],
    [" b", "named", null],
    ["*a", "project", null],
  ]);
  deepStrictEqual(rows(world, { AENV: "a" })[1], ["*a", "named", null]);
  deepStrictEqual(rows(world, { AENV: "global" })[0]?.[0], "*global");
});

Deno.test("listEnvs() shows the project that one stands in before its first launch", () => {
  using world = new EnvWorld();
  world.write("p/aenv.toml", '[env]\nname = "fresh"\n');
  deepStrictEqual(rows(world).at(-1), ["*fresh", "project", null]);
});

Deno.test("listEnvs() marks what is broken with the reason and goes on", () => {
  using world = new EnvWorld();
  world.env("good");
  world.write(".aenv/envs/empty/x", "");
  world.write(".aenv/envs/typo/aenv.toml", '[env]\nname = "typo"\nx = 1\n');
  world.write(".aenv/envs/a b/aenv.toml", "");
  world.write(".aenv/envs/.tmp-1/aenv.toml", "");
  world.link(".aenv/envs/loop", "loop");
  world.write("p/.aenv-version", "ghost\n");
  deepStrictEqual(
    rows(world).map(([name, , state]) => [name, state?.slice(0, 24) ?? null]),
    [
      [" global", null],
      [" a b", "only A-Z a-z 0-9 . _ and"],
      [" empty", "it has no aenv.toml"],
      ["*ghost", "there is none of that na"],
      [" good", null],
      [" loop", "too many levels of symbo"],
      [" typo", "line 3, column 1: unknow"],
    ],
  );
});

Deno.test("listEnvs() marks slots whose project is gone, was moved or has another name", () => {
  using world = new EnvWorld();
  project(world, "gone", "gone");
  world.remove("gone");
  project(world, "one", "before");
  world.write("one/aenv.toml", '[env]\nname = "after"\n');
  project(world, "two", "kept");
  deepStrictEqual(rows(world).slice(1), [
    [" before", "project", "orphaned"],
    [" gone", "project", "orphaned"],
    [" kept", "project", null],
  ]);
});

Deno.test("listEnvs() shows a project with a broken manifest once", () => {
  using world = new EnvWorld();
  project(world, "p", "app");
  world.write("p/aenv.toml", "[env");
  const [, ...projects] = listEnvs(world.host()).envs;
  strictEqual(projects.length, 1);
  ok(projects[0]?.active);
  ok(projects[0]?.broken?.startsWith("line 1"));
});

Deno.test("listEnvs() counts the agents that run", () => {
  using world = new EnvWorld();
  world.env("a");
  const host = world.host();
  beginRun(world.dirs, host, {
    label: "a",
    slotName: "a",
    agent: "claude",
    cwd: "/",
  });
  strictEqual(listEnvs(host).envs[1]?.running, 1);
});

Deno.test("listEnvs() says why no env can be told to be active", () => {
  using world = new EnvWorld();
  world.env("a");
  world.write("p/.aenv-version", "a\nb\n");
  const { envs, problem } = listEnvs(world.host());
  strictEqual(problem?.code, "PIN_INVALID");
  deepStrictEqual(envs.map((row) => row.active), [false, false]);
});
