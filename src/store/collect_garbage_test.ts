import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { overwrite, StoreWorld } from "../../tests/support/store_world.ts";
import { markOf } from "../os/marks.ts";
import {
  checkTree,
  collectGarbage,
  holdTree,
  linkTree,
  openStore,
  type Store,
  storeSize,
  type TreeHash,
} from "./mod.ts";

const MODULE = new URL("./mod.ts", import.meta.url).href;

/** Inserts trees through a store that is closed again: nothing of them is in use. */
async function insertUnused(
  world: StoreWorld,
  count: number,
): Promise<TreeHash[]> {
  const hashes: TreeHash[] = [];
  for (let i = 0; i < count; i++) {
    hashes.push(await world.insert({ "file": `${i}`.repeat(1000) }));
  }
  world.store[Symbol.dispose]();
  return hashes;
}

function has(store: Store, hash: TreeHash): boolean {
  return markOf(store.objectDir(hash)) !== undefined;
}

Deno.test("collectGarbage() removes what is not to be kept, and says how much", async () => {
  using world = new StoreWorld();
  const hashes = await insertUnused(world, 4);
  const keep = [hashes[1]!];
  const before = await storeSize(world.store);
  strictEqual(before.objects, 4);
  const done = await collectGarbage(world.store, { keep: () => keep });
  const after = await storeSize(world.store);
  deepStrictEqual(hashes.map((hash) => has(world.store, hash)), [
    false,
    true,
    false,
    false,
  ]);
  deepStrictEqual([done.removed, done.kept], [3, 1]);
  strictEqual(done.bytes, before.bytes - after.bytes);
  ok(done.bytes >= 3000);
  deepStrictEqual(world.leftOvers(), []);
});

Deno.test("collectGarbage() keeps what an open store has inserted, linked or held", async () => {
  using world = new StoreWorld();
  const [held, linked, unused] = await insertUnused(world, 3);
  const inserted = await world.insert({ "new": "tree" });
  const target = world.path("target");
  await linkTree(world.store, { hash: linked!, target }, { share: false });
  strictEqual(await holdTree(world.store, held!), true);
  {
    using other = openStore(world.store.root);
    const { removed } = await collectGarbage(other, { keep: () => [] });
    strictEqual(removed, 1);
    strictEqual(await holdTree(other, unused!), false);
  }
  for (const hash of [held, linked, inserted]) ok(has(world.store, hash!));
  world.store[Symbol.dispose]();
  using other = openStore(world.store.root);
  strictEqual((await collectGarbage(other, { keep: () => [] })).removed, 3);
});

Deno.test("collectGarbage() keeps what a living process uses, and not what a dead one used", async () => {
  using world = new StoreWorld();
  const [hash] = await insertUnused(world, 1);
  const script = `
    import { holdTree, openStore } from ${JSON.stringify(MODULE)};
    const store = openStore(Deno.args[0]);
    await holdTree(store, Deno.args[1]);
    Deno.stdout.writeSync(new TextEncoder().encode("held"));
    await Deno.stdin.read(new Uint8Array(1));
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", script, world.store.root, hash!],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  strictEqual((await collectGarbage(world.store, { keep: () => [] })).kept, 1);
  child.kill("SIGKILL");
  await child.status;
  await child.stdin.close().catch(() => undefined);
  strictEqual((await collectGarbage(world.store, { keep: () => [] })).kept, 0);
});

Deno.test("collectGarbage() asks what to keep when nobody can put something into the store", async () => {
  using world = new StoreWorld();
  const [hash] = await insertUnused(world, 1);
  using other = openStore(world.store.root);
  // Known to the store before, so that only the claim itself is waited for.
  await holdTree(other, hash!);
  other[Symbol.dispose]();
  let claim: Promise<boolean> | undefined;
  let isDone = false;
  const keep = async () => {
    claim = holdTree(other, hash!).finally(() => isDone = true);
    for (let i = 0; i < 5; i++) await new Promise((r) => setTimeout(r, 10));
    strictEqual(isDone, false);
    return [];
  };
  strictEqual((await collectGarbage(world.store, { keep })).removed, 1);
  // Whoever came too late is told so.
  strictEqual(await claim, false);
});

Deno.test("collectGarbage() stops when nobody can say what to keep", async () => {
  using world = new StoreWorld();
  const [hash] = await insertUnused(world, 1);
  const keep = () => {
    throw new RangeError("unreadable lock");
  };
  await rejects(() => collectGarbage(world.store, { keep }), RangeError);
  ok(has(world.store, hash!));
});

Deno.test("collectGarbage() leaves environments whole whose trees it removes", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  const placement = { hash, target: world.path("target") };
  await linkTree(world.store, placement, { share: true });
  world.store[Symbol.dispose]();
  await collectGarbage(world.store, { keep: () => [] });
  deepStrictEqual(await checkTree(world.store, placement), []);
});

Deno.test("collectGarbage() removes linked copies that nobody links to, records of what is gone, and what was put aside", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  const target = world.path("target");
  const method = await linkTree(world.store, { hash, target }, { share: true });
  const keep = () => [hash];
  await collectGarbage(world.store, { keep });
  const isShared = method === "link";
  strictEqual(
    markOf(world.objectPath(hash, "shared")) !== undefined,
    isShared,
  );
  Deno.removeSync(target, { recursive: true });
  const { bytes } = await collectGarbage(world.store, { keep });
  strictEqual(bytes, isShared ? 55 : 0);
  strictEqual(markOf(world.objectPath(hash, "shared")), undefined);
  deepStrictEqual([...Deno.readDirSync(world.objectPath(hash, "links"))], []);
  overwrite(world.objectPath(hash, "tree", "SKILL.md"), "Be evil!!\n");
  await rejects(
    () => linkTree(world.store, { hash, target }, { share: true }),
    { code: "STORE_CORRUPT" },
  );
  ok((await storeSize(world.store)).quarantinedBytes > 55);
  await collectGarbage(world.store, { keep });
  strictEqual((await storeSize(world.store)).quarantinedBytes, 0);
});

Deno.test("collectGarbage() finds nothing to do in a store that is not there", async () => {
  using world = new StoreWorld();
  const done = await collectGarbage(world.store, { keep: () => [] });
  deepStrictEqual(done, { removed: 0, kept: 0, bytes: 0 });
  strictEqual(markOf(world.store.root), undefined);
});
