import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import { parseEnvName } from "../base/ids.ts";
import { projectSlotName } from "./open.ts";
import { removeEnv } from "./remove.ts";
import { beginRun, endRun } from "./runs.ts";

function remove(
  world: EnvWorld,
  name: string,
  options: { force?: boolean; env?: Record<string, string> } = {},
) {
  return removeEnv(
    { name, force: options.force ?? false },
    world.host(options.env),
  );
}

Deno.test("removeEnv() takes an env away whole, for later, and nothing that its links lead to", async () => {
  using world = new EnvWorld();
  world.env("a");
  world.env("b");
  world.write("precious/file", "x");
  world.link(".aenv/envs/a/claude/skills/out", world.path("precious"));
  world.write(".aenv/envs/a/installed/h/file", "x");
  world.chmod(".aenv/envs/a/installed/h", 0o500);
  const done = await remove(world, "a");
  deepStrictEqual(world.names(".aenv/envs"), ["b"]);
  strictEqual(
    world.read(`.aenv/state/${done.transaction}/0.tree/installed/h/file`),
    "x",
  );
  strictEqual(world.read("precious/file"), "x");
});

Deno.test("removeEnv() removes a slot that is a link without following it", async () => {
  using world = new EnvWorld();
  world.write("precious/aenv.toml", "x");
  world.link(".aenv/envs/a", world.path("precious"));
  await remove(world, "a");
  deepStrictEqual(world.names(".aenv/envs"), []);
  strictEqual(world.read("precious/aenv.toml"), "x");
});

Deno.test("removeEnv() takes broken envs too", async () => {
  using world = new EnvWorld();
  world.write(".aenv/envs/a/aenv.toml", "[[[");
  await remove(world, "a");
  deepStrictEqual(world.names(".aenv/envs"), []);
});

Deno.test("removeEnv() refuses names that are no env's", async () => {
  using world = new EnvWorld();
  world.env("a");
  world.write(".aenv/config.toml", "");
  const cases: readonly (readonly [string, string])[] = [
    ["", "NAME_INVALID"],
    ["..", "NAME_INVALID"],
    [".", "NAME_INVALID"],
    ["a/../a", "NAME_INVALID"],
    ["global", "ENV_RESERVED"],
    ["ghost", "ENV_NOT_FOUND"],
  ];
  for (const [name, code] of cases) {
    await rejects(remove(world, name, { force: true }), { code }, name);
  }
  deepStrictEqual(world.names(".aenv/envs"), ["a"]);
});

Deno.test("removeEnv() refuses while something names the env, and says what", async () => {
  using world = new EnvWorld();
  world.env("a");
  world.write(".aenv/config.toml", '# mine\ndefault_env = "a"\n');
  const pin = world.write("p/.aenv-version", "a\n");
  const env = { AENV_SHELL: "a", AENV_OVERRIDE: "b" };
  await rejects(remove(world, "a", { env }), {
    code: "ENV_IN_USE",
    exitCode: 1,
    message: `Cannot remove environment "a": it is named by default_env in "${
      world.path(".aenv/config.toml")
    }", $AENV_SHELL in this shell, "${pin}"`,
    hint: "Remove it all the same: aenv remove a --force",
  });
  deepStrictEqual(world.names(".aenv/envs"), ["a"]);
  const done = await remove(world, "a", { env, force: true });
  strictEqual(done.clearedDefault, true);
  strictEqual(world.read(".aenv/config.toml"), "# mine\n");
  deepStrictEqual(done.dangling.map((pointer) => pointer.where), [
    "$AENV_SHELL",
    pin,
  ]);
});

Deno.test("removeEnv() removes a project's slot by its name and keeps the project", async () => {
  using world = new EnvWorld();
  const manifest = world.write("p/aenv.toml", '[env]\nname = "app"\n');
  const slot = projectSlotName(parseEnvName("app"), world.path("p"));
  world.write(`.aenv/envs/${slot}/project`, manifest + "\n");
  await rejects(remove(world, slot), { code: "ENV_IN_USE" });
  const done = await remove(world, slot, { force: true });
  strictEqual(done.project, manifest);
  deepStrictEqual(world.names(".aenv/envs"), []);
  strictEqual(world.exists("p/aenv.toml"), true);
});

Deno.test("removeEnv() refuses always while an agent runs in the env", async () => {
  using world = new EnvWorld();
  world.env("a");
  const run = { label: "a", slotName: "a", agent: "claude", cwd: "/" };
  const dir = beginRun(world.dirs, world.host(), run);
  await rejects(remove(world, "a", { force: true }), {
    code: "ENV_BUSY",
    exitCode: 1,
    message:
      `Cannot remove environment "a": claude (process ${Deno.pid}) runs in it`,
  });
  deepStrictEqual(world.names(".aenv/envs"), ["a"]);
  endRun(dir);
  await remove(world, "a");
  deepStrictEqual(world.names(".aenv/envs"), []);
});

Deno.test("removeEnv() puts the env back when the default cannot be cleared", async () => {
  using world = new EnvWorld();
  world.env("a");
  // Valid, but not on a line that can be taken out.
  world.write(".aenv/config.toml", 'default_env = """a"""\n');
  await rejects(remove(world, "a", { force: true }), {
    code: "CONFIG_INVALID",
  });
  deepStrictEqual(world.names(".aenv/envs"), ["a"]);
  const [id] = world.names(".aenv/state");
  deepStrictEqual(world.names(`.aenv/state/${id}`), ["record.json"]);
});
