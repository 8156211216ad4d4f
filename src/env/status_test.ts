import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import { beginRun } from "./runs.ts";
import { envStatus } from "./status.ts";

Deno.test("envStatus() tells what an env declares, names of variables only", () => {
  using world = new EnvWorld();
  world.env(
    "a",
    `isolation = "overlay"
[vars]
NODE_ENV = "hidden"
[mcp.docs]
command = "x"
[[skills.enabled]]
name = "s"
source = "./s"
`,
  );
  const pin = world.write("p/.aenv-version", "a\n");
  const run = { label: "a", slotName: "a", agent: "claude", cwd: "/x" };
  beginRun(world.dirs, world.host(), run);
  deepStrictEqual(envStatus(undefined, world.host()), {
    env: "a",
    sandbox: false,
    scope: "named",
    slot: world.path(".aenv/envs/a"),
    manifest: world.path(".aenv/envs/a/aenv.toml"),
    isolation: "overlay",
    projectConfig: "load",
    configDir: world.path(".claude"),
    plugins: [],
    skills: ["s"],
    mcp: ["docs"],
    vars: ["NODE_ENV"],
    running: [{ pid: Deno.pid, agent: "claude", cwd: "/x" }],
    activeBy: "version file",
    file: pin,
  });
});

Deno.test("envStatus() of a project or of global makes nothing", () => {
  using world = new EnvWorld();
  world.write("p/aenv.toml", '[env]\nname = "app"\n');
  const status = envStatus(undefined, world.host());
  strictEqual(status.scope, "project");
  strictEqual(status.configDir, `${status.slot}/claude`);
  strictEqual(
    envStatus("global", world.host()).configDir,
    world.path(".claude"),
  );
  strictEqual(world.exists(".aenv"), false);
});
