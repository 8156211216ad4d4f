import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { StoreWorld } from "../../tests/support/store_world.ts";
import { markOf } from "../os/marks.ts";
import { openStore, parseTreeHash, sweepStore } from "./mod.ts";

Deno.test("openStore() does nothing on the disk", () => {
  using world = new StoreWorld();
  {
    using _other = openStore(world.path("other"));
  }
  strictEqual(markOf(world.path("other")), undefined);
  strictEqual(markOf(world.path("store")), undefined);
});

Deno.test("Store removes what it was working on when it is disposed of", async () => {
  using world = new StoreWorld();
  const store = openStore(world.path("store"));
  Deno.mkdirSync(await store.tempPath());
  strictEqual(world.leftOvers().length, 1);
  store[Symbol.dispose]();
  deepStrictEqual([...Deno.readDirSync(world.path("store", "tmp"))], []);
  deepStrictEqual([...Deno.readDirSync(world.path("store", "holds"))], []);
});

Deno.test("settle() returns when everything that changes gets a later time", async () => {
  using world = new StoreWorld();
  const now = await world.store.now();
  ok(now > Date.now() * 1000 - 60e6);
  strictEqual(await world.store.settle(now), true);
  const file = world.path("file");
  Deno.writeTextFileSync(file, "");
  ok(markOf(file)!.ctime > now);
});

Deno.test("sweepStore() removes what dead processes left, in the store and beside the trees that they placed", async () => {
  using world = new StoreWorld();
  const store = openStore(world.path("store"));
  const inside = await store.tempPath();
  const beside = await store.tempPathIn(world.dir);
  for (const path of [inside, beside]) {
    Deno.mkdirSync(`${path}/sub`, { recursive: true });
    Deno.chmodSync(path, 0o500);
  }
  await sweepStore(world.store);
  deepStrictEqual([inside, beside].map((path) => markOf(path)?.kind), [
    "directory",
    "directory",
  ]);
  const script = `
    import { openStore } from ${
    JSON.stringify(new URL("./mod.ts", import.meta.url).href)
  };
    const store = openStore(Deno.args[0]);
    const paths = [await store.tempPath(), await store.tempPathIn(Deno.args[1])];
    for (const path of paths) Deno.mkdirSync(path + "/x", { recursive: true });
    console.log(paths.join("\\n"));
    Deno.kill(Deno.pid, "SIGKILL");
  `;
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", script, store.root, world.dir],
  }).outputSync();
  const paths = new TextDecoder().decode(stdout).trim().split("\n");
  deepStrictEqual(paths.map((path) => markOf(path)?.kind), [
    "directory",
    "directory",
  ]);
  await sweepStore(world.store);
  deepStrictEqual(paths.map((path) => markOf(path)), [undefined, undefined]);
  strictEqual(markOf(inside)?.kind, "directory");
  store[Symbol.dispose]();
});

Deno.test("sweepStore() removes no path that a store would not have noted", async () => {
  using world = new StoreWorld();
  await world.insert();
  const victim = world.path("victim");
  const relative = ".tmp-" + "0".repeat(36);
  for (const path of [victim, world.path(relative)]) Deno.mkdirSync(path);
  const lines = [victim, relative, `${victim}/..`, 7, null].map((line) =>
    JSON.stringify(line)
  );
  const sign = world.path("store", "holds", "dead");
  Deno.writeTextFileSync(sign, [...lines, '"\\u0022', "{", ""].join("\n"));
  await sweepStore(world.store);
  strictEqual(markOf(victim)?.kind, "directory");
  strictEqual(markOf(world.path(relative))?.kind, "directory");
  strictEqual(markOf(sign), undefined);
});

Deno.test("Store takes no link for one of its directories", async () => {
  for (const part of ["objects", "tmp", "holds", "objects/ab"]) {
    using world = new StoreWorld();
    const elsewhere = world.path("elsewhere");
    Deno.mkdirSync(elsewhere);
    const planted = world.path("store", part);
    const parent = planted.slice(0, planted.lastIndexOf("/"));
    Deno.mkdirSync(parent, { recursive: true });
    Deno.symlinkSync(elsewhere, planted);
    const hash = parseTreeHash("ab" + "0".repeat(62));
    await rejects(async () => {
      await world.store.claim(hash, () => world.store.tempPath());
      world.store.makePart("objects", "ab");
    }, {
      code: "STORE_CORRUPT",
      message: `Cannot use "${planted}": it is not a directory`,
    });
    deepStrictEqual([...Deno.readDirSync(elsewhere)], []);
  }
});
