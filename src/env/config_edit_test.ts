import { ok, rejects, strictEqual } from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import { readConfig } from "./config.ts";
import { setDefaultEnv } from "./config_edit.ts";
import { transact } from "./slots.ts";

const FILE = ".aenv/config.toml";

function setDefault(world: EnvWorld, name: string | undefined): Promise<void> {
  const { dirs } = world;
  const place = { host: world.host(), dirs };
  const about = { kind: "use", env: null };
  return transact(about, place, (tx) => setDefaultEnv(name, { dirs, tx }));
}

Deno.test("setDefaultEnv() makes the file, changes it and takes the key away", async () => {
  using world = new EnvWorld();
  await setDefault(world, "a");
  strictEqual(world.read(FILE), 'default_env = "a"\n');
  strictEqual(world.mode(FILE), "600");
  await setDefault(world, "global");
  strictEqual(readConfig(world.dirs).defaultEnv, "global");
  await setDefault(world, undefined);
  strictEqual(world.read(FILE), "");
});

Deno.test("setDefaultEnv() keeps comments, also those beside the key it takes away", async () => {
  using world = new EnvWorld();
  const text =
    '# mine\ndefault_env = "a" # why\n\n[agents] # b\nclaude = "/x" # c\n';
  world.write(FILE, text);
  await setDefault(world, "b");
  strictEqual(world.read(FILE), text.replace('"a"', '"b"'));
  await setDefault(world, undefined);
  strictEqual(world.read(FILE), text.replace('default_env = "a" ', ""));
  await setDefault(world, "c");
  strictEqual(readConfig(world.dirs).defaultEnv, "c");
  for (const comment of ["# mine", "# why", "# b", "# c"]) {
    ok(world.read(FILE).includes(comment), comment);
  }
});

Deno.test("setDefaultEnv() writes through a link that the user made", async () => {
  using world = new EnvWorld();
  world.write("dotfiles/aenv.toml", "");
  world.link(FILE, "../dotfiles/aenv.toml");
  await setDefault(world, "a");
  strictEqual(world.read("dotfiles/aenv.toml"), 'default_env = "a"\n');
  strictEqual(world.tree(".aenv")["config.toml"], "-> ../dotfiles/aenv.toml");
});

Deno.test("setDefaultEnv() refuses a file that it cannot read, and leaves it", async () => {
  using world = new EnvWorld();
  world.write(FILE, "default_env = ");
  await rejects(setDefault(world, "a"), /Cannot read configuration/);
  strictEqual(world.read(FILE), "default_env = ");
});
