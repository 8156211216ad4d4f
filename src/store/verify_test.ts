import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  overwrite,
  SAMPLE,
  StoreWorld,
  writeTree,
} from "../../tests/support/store_world.ts";
import { markOf } from "../os/marks.ts";
import { Marks } from "./marks.ts";
import { openObject, proveTree } from "./open_object.ts";
import { encodeRecord } from "./records.ts";
import { linkTree, storeSize, verifyStore } from "./mod.ts";

Deno.test("verifyStore() reads everything and finds a good store good", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  await world.insert({ "other": "tree" });
  const target = world.path("target");
  await linkTree(world.store, { hash, target }, { share: true });
  const good = { objects: 2, bytes: 59, corrupt: [], written: [], strays: [] };
  for (const repair of [false, true]) {
    deepStrictEqual(await verifyStore(world.store, { repair }), good);
  }
});

/** Inserts and collects without an end. */
const WORK = `
import * as store from ${JSON.stringify(new URL("./mod.ts", import.meta.url))};
const [root, source] = Deno.args;
const s = store.openStore(root);
for (let i = 0;; i++) {
  await store.insertTree(s, source);
  s[Symbol.dispose]();
  await store.collectGarbage(s, { keep: () => [] });
  if (i === 0) Deno.stdout.writeSync(new Uint8Array(1));
}
`;

Deno.test("verifyStore() finds nothing wrong with what is collected meanwhile", async () => {
  using world = new StoreWorld();
  const kept = await world.insert({ "other": "tree" });
  const source = writeTree(world.path("source"), SAMPLE);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", WORK, world.store.root, source],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const seen = new Set<number>();
  const deadline = Date.now() + 60_000;
  // The world's own store keeps what it has put there.
  for (let i = 0; (i < 200 || seen.size < 2) && Date.now() < deadline; i++) {
    const found = await verifyStore(world.store, { repair: false });
    deepStrictEqual([found.corrupt, found.strays], [[], []]);
    seen.add(found.objects);
  }
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
  deepStrictEqual([...seen].sort(), [1, 2]);
  ok(markOf(world.objectPath(kept)) !== undefined);
});

/** The number of the entry whose inode this is. */
function findIndex(marks: Marks, path: string): number {
  const mark = markOf(path)!;
  for (let i = 0; i <= marks.entries; i++) if (marks.isInode(i, mark)) return i;
  throw new Error(path);
}

Deno.test("verifyStore() finds damage that looks the same, and puts it aside when it shall repair", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  const file = world.objectPath(hash, "tree", "SKILL.md");
  overwrite(file, "Be evil!!\n");
  // As if the disk had changed it: the record says that nothing happened.
  const path = world.objectPath(hash, "tree.marks");
  const marks = Marks.read(path, Object.keys(SAMPLE).length + 5);
  const index = findIndex(marks, file);
  marks.set(index, markOf(file)!);
  Deno.writeFileSync(path, encodeRecord({ numbers: marks.numbers }));
  await proveTree(world.store, openObject(world.store, hash));
  const found = await verifyStore(world.store, { repair: false });
  deepStrictEqual(found.corrupt, [{ hash, state: '"SKILL.md" is changed' }]);
  ok(markOf(world.objectPath(hash)));
  await verifyStore(world.store, { repair: true });
  strictEqual(markOf(world.objectPath(hash)), undefined);
  const { objects } = await verifyStore(world.store, { repair: false });
  strictEqual(objects, 0);
  ok((await storeSize(world.store)).quarantinedBytes > 0);
});

Deno.test("verifyStore() says what is wrong with each object", async () => {
  using world = new StoreWorld();
  const damages: [(dir: string) => void, string][] = [
    [(dir) => Deno.removeSync(`${dir}/seal.json`), "it has no seal"],
    [
      (dir) => Deno.writeTextFileSync(`${dir}/seal.json`, "{}"),
      "its seal is damaged",
    ],
    [(dir) => {
      const seal = Deno.readTextFileSync(`${dir}/seal.json`);
      Deno.writeTextFileSync(`${dir}/seal.json`, seal.replace('"f"', '"x"'));
    }, "its seal belongs to another tree"],
    [(dir) => Deno.chmodSync(`${dir}/tree/a`, 0o644), '"a" is of another mode'],
    [(dir) => {
      for (const name of ["x", "y"]) {
        Deno.writeTextFileSync(`${dir}/tree/${name}`, "");
      }
    }, '"x" is added and 1 more'],
    [
      (dir) => Deno.removeSync(`${dir}/tree`, { recursive: true }),
      '"." is removed',
    ],
  ];
  const expected: Record<string, string> = {};
  for (const [i, [damage, state]] of damages.entries()) {
    const hash = await world.insert({ "a": `${i}` });
    damage(world.objectPath(hash));
    expected[hash] = state;
  }
  const { corrupt, bytes } = await verifyStore(world.store, { repair: false });
  deepStrictEqual(
    Object.fromEntries(corrupt.map(({ hash, state }) => [hash, state])),
    expected,
  );
  strictEqual(bytes, 0);
});

Deno.test("verifyStore() finds linked copies that were written, and drops them when it shall repair", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  const target = world.path("target");
  const method = await linkTree(world.store, { hash, target }, { share: true });
  overwrite(`${target}/SKILL.md`, "Be evil!!\n");
  const expected = method === "link" ? [hash] : [];
  for (const repair of [false, true]) {
    const { written, corrupt } = await verifyStore(world.store, { repair });
    deepStrictEqual(written, expected);
    deepStrictEqual(corrupt, []);
  }
  const { written } = await verifyStore(world.store, { repair: false });
  deepStrictEqual(written, []);
});

Deno.test("verifyStore() names what does not belong to the store, links among it, and removes it when it shall repair", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  const elsewhere = world.path("elsewhere");
  Deno.mkdirSync(elsewhere);
  Deno.writeTextFileSync(`${elsewhere}/precious`, "");
  const objects = world.path("store", "objects");
  const other = hash.startsWith("0") ? "1".repeat(64) : "0".repeat(64);
  const strays = [
    `${objects}/${hash.slice(0, 2)}/${other}`,
    `${objects}/${hash.slice(0, 2)}/.tmp-x`,
    `${objects}/file`,
    `${objects}/${other.slice(0, 2)}`,
  ].sort();
  for (const path of strays) Deno.symlinkSync(elsewhere, path);
  const found = await verifyStore(world.store, { repair: true });
  deepStrictEqual([...found.strays].sort(), strays);
  strictEqual(found.objects, 1);
  deepStrictEqual(
    (await verifyStore(world.store, { repair: false })).strays,
    [],
  );
  ok(markOf(`${elsewhere}/precious`));
});
