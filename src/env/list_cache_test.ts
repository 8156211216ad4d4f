import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import { waitFor } from "../../tests/support/process.ts";
import { listEnvs } from "./list.ts";

const CACHE = ".aenv/cache/list.json";

/** So many environments that what their manifests say is kept. */
function makeWorld(): EnvWorld {
  const world = new EnvWorld();
  for (let i = 100; i < 220; i++) {
    world.env(`e${i}`, `description = "number ${i}"\n`);
  }
  world.env("bad", "nonsense = 1\n");
  return world;
}

function described(world: EnvWorld): Record<string, string> {
  return Object.fromEntries(
    listEnvs(world.host()).envs.map((row) => [
      row.name,
      row.broken ?? row.description,
    ]),
  );
}

/** Lists until what was read is kept, which takes until the files are no longer new. */
async function keepAll(world: EnvWorld): Promise<void> {
  await waitFor("everything is kept", () => {
    listEnvs(world.host());
    const text = world.exists(CACHE) ? world.read(CACHE) : "{}";
    const { rows = {} } = JSON.parse(text);
    return Object.keys(rows).length === 121 ? true : undefined;
  });
}

Deno.test("listEnvs() says the same from what it kept, and sees every change of a manifest", async () => {
  using world = makeWorld();
  const first = described(world);
  strictEqual(first["e150"], "number 150");
  ok(/nonsense/.test(first["bad"]!), first["bad"]);
  strictEqual(world.exists(CACHE), false, "what is new may yet change");
  await keepAll(world);
  deepStrictEqual(described(world), first);
  const path = world.path(".aenv/envs/e150/aenv.toml");
  const { mtime, atime } = Deno.statSync(path);
  world.env("e150", 'description = "number 151"\n');
  Deno.utimeSync(path, atime!, mtime!);
  world.env("bad", 'description = "good"\n');
  world.remove(".aenv/envs/e151");
  world.env("f", 'description = "new"\n');
  const { e151: _, ...left } = first;
  deepStrictEqual(described(world), {
    ...left,
    e150: "number 151",
    bad: "good",
    f: "new",
  });
});

Deno.test("listEnvs() does without what it kept when that is damaged, or cannot be written", async () => {
  using world = makeWorld();
  const first = described(world);
  await keepAll(world);
  const kept = world.read(CACHE);
  const damaged = [
    "",
    "{",
    "null",
    '{"rows":{"e150":[1]}}',
    kept.replaceAll('"version"', '"other"').replaceAll("number", "lie"),
    kept.replaceAll(/"number \d+"/g, "5"),
  ];
  for (const text of damaged) {
    world.write(CACHE, text);
    deepStrictEqual(described(world), first, text.slice(0, 80));
  }
  world.remove(".aenv/cache");
  world.write(".aenv/cache", "a file");
  deepStrictEqual(described(world), first);
});
