import { ok, rejects, strictEqual } from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import { readConfig } from "./config.ts";
import { setDefaultEnv } from "./config_edit.ts";

const FILE = ".aenv/config.toml";

Deno.test("setDefaultEnv() makes the file, changes it and takes the key away", async () => {
  using world = new EnvWorld();
  await setDefaultEnv(world.dirs, "a");
  strictEqual(world.read(FILE), 'default_env = "a"\n');
  strictEqual(world.mode(FILE), "600");
  await setDefaultEnv(world.dirs, "global");
  strictEqual(readConfig(world.dirs).defaultEnv, "global");
  await setDefaultEnv(world.dirs, undefined);
  strictEqual(world.read(FILE), "");
});

Deno.test("setDefaultEnv() keeps comments, also those beside the key it takes away", async () => {
  using world = new EnvWorld();
  const text =
    '# mine\ndefault_env = "a" # why\n\n[agents] # b\nclaude = "/x" # c\n';
  world.write(FILE, text);
  await setDefaultEnv(world.dirs, "b");
  strictEqual(world.read(FILE), text.replace('"a"', '"b"'));
  await setDefaultEnv(world.dirs, undefined);
  strictEqual(world.read(FILE), text.replace('default_env = "a" ', ""));
  await setDefaultEnv(world.dirs, "c");
  strictEqual(readConfig(world.dirs).defaultEnv, "c");
  for (const comment of ["# mine", "# why", "# b", "# c"]) {
    ok(world.read(FILE).includes(comment), comment);
  }
});

Deno.test("setDefaultEnv() writes through a link that the user made", async () => {
  using world = new EnvWorld();
  world.write("dotfiles/aenv.toml", "");
  world.link(FILE, "../dotfiles/aenv.toml");
  await setDefaultEnv(world.dirs, "a");
  strictEqual(world.read("dotfiles/aenv.toml"), 'default_env = "a"\n');
  strictEqual(world.tree(".aenv")["config.toml"], "-> ../dotfiles/aenv.toml");
});

Deno.test("setDefaultEnv() refuses a file that it cannot read, and leaves it", async () => {
  using world = new EnvWorld();
  world.write(FILE, "default_env = ");
  await rejects(setDefaultEnv(world.dirs, "a"), /Cannot read configuration/);
  strictEqual(world.read(FILE), "default_env = ");
});
