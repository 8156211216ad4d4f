import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { TxWorld } from "../../tests/support/tx_world.ts";
import { txHome } from "../env/slots.ts";
import { DEFAULT_LIMITS, prune, type PruneLimits } from "./mod.ts";

function run(world: TxWorld, limits: Partial<PruneLimits>) {
  const all = { keep: 1e6, days: 1e6, ...limits };
  return prune(txHome(world.host(), world.dirs), all);
}

async function changeTimes(world: TxWorld, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const data = `${world.ids().length}`;
    await world.change((tx) => tx.put({ path: world.path("p/file"), data }));
  }
}

/** Makes a transaction look as old as an id says. */
function makeOld(world: TxWorld, id: string, old: string): void {
  world.editRecord((record) => record["id"] = old, id as never);
  const from = world.path(`.aenv/state/${id}`);
  Deno.renameSync(from, world.path(`.aenv/state/${old}`));
}

Deno.test("prune() keeps the newest, and frees what it forgets", async () => {
  using world = new TxWorld();
  world.env("a");
  await world.change((tx) => tx.take(world.path(".aenv/envs/a")));
  await changeTimes(world, 4);
  const ids = world.ids();
  world.write(".aenv/trash/left/over", "x");
  const { removed, kept } = await run(world, { keep: 2 });
  deepStrictEqual(removed.map(String), ids.slice(0, 3));
  strictEqual(kept, 2);
  deepStrictEqual(world.ids(), ids.slice(3));
  deepStrictEqual(world.names(".aenv/trash"), []);
});

Deno.test("prune() forgets what is older, for any number of days", async () => {
  using world = new TxWorld();
  await changeTimes(world, 2);
  const [first, second] = world.ids();
  makeOld(world, first!, "20200101T000000000Z-aaaaaa");
  for (const days of [1e6, Number.MAX_SAFE_INTEGER, Infinity]) {
    deepStrictEqual((await run(world, { days })).removed, []);
  }
  await run(world, { days: 30 });
  deepStrictEqual(world.ids(), [second]);
  await run(world, { days: 0 });
  deepStrictEqual(world.ids(), []);
});

Deno.test("prune() never forgets what is pending, nor what that needs", async () => {
  using world = new TxWorld();
  world.env("a");
  await world.change((tx) => tx.take(world.path(".aenv/envs/a")));
  await world.rollback();
  world.kill();
  const ids = world.ids();
  strictEqual(ids.length, 2);
  deepStrictEqual((await run(world, { keep: 0, days: 0 })).removed, []);
  await world.recover();
  strictEqual(world.exists(".aenv/envs/a"), false);
  await world.rollback();
  strictEqual(world.exists(".aenv/envs/a/aenv.toml"), true);
});

Deno.test("the journal does not grow without end", async () => {
  using world = new TxWorld();
  await changeTimes(world, DEFAULT_LIMITS.keep + 5);
  strictEqual(world.ids().length, DEFAULT_LIMITS.keep);
});
