import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  describeTree,
  overwrite,
  SAMPLE,
  StoreWorld,
} from "../../tests/support/store_world.ts";
import { markOf } from "../os/marks.ts";
import {
  checkTree,
  linkTree,
  openStore,
  parseTreeHash,
  repairTree,
} from "./mod.ts";

const SHARED = { share: true };
const OWN = { share: false };
const SKILL = "SKILL.md";
const EVIL = "Be evil!!\n";

Deno.test("linkTree() makes the tree whole and read-only, by whatever method", async () => {
  for (const options of [SHARED, OWN]) {
    using world = new StoreWorld();
    const hash = await world.insert();
    const target = world.path("env", "installed", "sample");
    const old = Deno.umask(0o777);
    try {
      await linkTree(world.store, { hash, target }, options);
    } finally {
      Deno.umask(old);
    }
    deepStrictEqual(
      describeTree(target),
      describeTree(world.objectPath(hash, "tree")),
    );
    deepStrictEqual(
      [...Deno.readDirSync(world.path("env", "installed"))].map((e) => e.name),
      ["sample"],
    );
    deepStrictEqual(world.leftOvers(), []);
  }
});

Deno.test("linkTree() shares files only where it may, and never those of the object", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  const [a, b, c] = ["a", "b", "c"].map((name) => world.path(name));
  const first = await linkTree(world.store, { hash, target: a! }, SHARED);
  const second = await linkTree(world.store, { hash, target: b! }, SHARED);
  const own = await linkTree(world.store, { hash, target: c! }, OWN);
  strictEqual(first, second);
  ok(own === "copy" || own === "clone");
  const inodes = [a, b, c, world.objectPath(hash, "tree")].map((root) =>
    markOf(`${root}/${SKILL}`)?.ino
  );
  strictEqual(new Set(inodes).size, first === "link" ? 3 : 4);
  strictEqual(markOf(world.objectPath(hash, "tree", SKILL))?.links, 1);
});

Deno.test("linkTree() takes no place where something is", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  const target = world.path("target");
  for (
    const make of [Deno.mkdirSync, (p: string) => Deno.symlinkSync("x", p)]
  ) {
    make(target);
    await rejects(() => linkTree(world.store, { hash, target }, OWN), {
      code: "IO",
      message: `Cannot place a tree at "${target}": something is there`,
    });
    Deno.removeSync(target);
  }
});

Deno.test("linkTree() names a tree that the store does not have", async () => {
  using world = new StoreWorld();
  const hash = parseTreeHash("a".repeat(64));
  const target = world.path("target");
  await rejects(() => linkTree(world.store, { hash, target }, OWN), {
    code: "STORE_MISSING",
    hint: "Fetch it: aenv install",
  });
  strictEqual(markOf(target), undefined);
});

Deno.test("linkTree() never places a poisoned object, and puts it aside", async () => {
  const damages: ((object: string) => void)[] = [
    (object) => overwrite(`${object}/tree/${SKILL}`, EVIL),
    (object) => Deno.removeSync(`${object}/tree/bin/tool`),
    (object) => Deno.writeTextFileSync(`${object}/seal.json`, "{"),
    (object) => {
      // A seal that fits the poison: but then it does not fit the name.
      const seal = Deno.readTextFileSync(`${object}/seal.json`);
      const forged = seal.replace(/[0-9a-f]{64}/, "0".repeat(64));
      Deno.writeTextFileSync(`${object}/seal.json`, forged);
    },
    (object) => {
      Deno.removeSync(`${object}/tree/${SKILL}`);
      new Deno.Command("mkfifo", { args: [`${object}/tree/${SKILL}`] })
        .outputSync();
    },
    (object) => {
      Deno.removeSync(`${object}/tree/docs`, { recursive: true });
      Deno.symlinkSync("/etc", `${object}/tree/docs`);
    },
  ];
  for (const damage of damages) {
    for (const options of [SHARED, OWN]) {
      using world = new StoreWorld();
      const hash = await world.insert();
      damage(world.objectPath(hash));
      const target = world.path("target");
      const link = () => linkTree(world.store, { hash, target }, options);
      await rejects(link, {
        code: "STORE_CORRUPT",
        hint: "Fetch it again: aenv install",
      });
      strictEqual(markOf(target), undefined);
      strictEqual(markOf(world.objectPath(hash)), undefined);
      deepStrictEqual(world.leftOvers(), []);
      await rejects(link, { code: "STORE_MISSING" });
      strictEqual(await world.insert(), hash);
      await link();
      strictEqual(Deno.readTextFileSync(`${target}/${SKILL}`), SAMPLE[SKILL]);
    }
  }
});

Deno.test("a write through one environment's files reaches neither the store nor an environment that is made after it", async () => {
  for (const options of [SHARED, OWN]) {
    using world = new StoreWorld();
    const { store } = world;
    const hash = await world.insert();
    const [a, b] = [world.path("a"), world.path("b")];
    await linkTree(store, { hash, target: a }, options);
    overwrite(`${a}/${SKILL}`, EVIL);
    await linkTree(store, { hash, target: b }, options);
    const read = (root: string) => Deno.readTextFileSync(`${root}/${SKILL}`);
    strictEqual(read(b), SAMPLE[SKILL]);
    strictEqual(read(world.objectPath(hash, "tree")), SAMPLE[SKILL]);
    deepStrictEqual(await checkTree(store, { hash, target: b }), []);
    deepStrictEqual(await checkTree(store, { hash, target: a }), [
      { path: SKILL, change: "changed" },
    ]);
  }
});

Deno.test("a write through one environment's files is seen in every environment that shares them, and mended there from the store", async () => {
  using world = new StoreWorld();
  const { store } = world;
  const hash = await world.insert();
  const [a, b] = [world.path("a"), world.path("b")];
  const method = await linkTree(store, { hash, target: a }, SHARED);
  await linkTree(store, { hash, target: b }, SHARED);
  overwrite(`${a}/${SKILL}`, EVIL);
  const changed = [{ path: SKILL, change: "changed" }];
  for (const target of [b, a]) {
    const isShared = method === "link" || target === a;
    const expected = isShared ? changed : [];
    deepStrictEqual(
      await repairTree(store, { hash, target }, SHARED),
      expected,
    );
    strictEqual(Deno.readTextFileSync(`${target}/${SKILL}`), SAMPLE[SKILL]);
  }
  for (const target of [a, b]) {
    deepStrictEqual(await checkTree(store, { hash, target }), []);
  }
  const inodes = [a, b].map((root) => markOf(`${root}/${SKILL}`)?.ino);
  strictEqual(new Set(inodes).size, method === "link" ? 1 : 2);
});

Deno.test("repairTree() touches nothing when nothing is wrong", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  const target = world.path("target");
  await linkTree(world.store, { hash, target }, OWN);
  const before = markOf(target);
  deepStrictEqual(await repairTree(world.store, { hash, target }, OWN), []);
  deepStrictEqual(markOf(target), before);
});

Deno.test("repairTree() puts back a tree of which nothing is left, or something else", async () => {
  const damages: [(target: string) => void, string][] = [
    [(target) => Deno.removeSync(target, { recursive: true }), "removed"],
    [(target) => {
      Deno.removeSync(target, { recursive: true });
      Deno.symlinkSync("/etc", target);
    }, "replaced"],
    [(target) => {
      Deno.removeSync(target, { recursive: true });
      Deno.writeTextFileSync(target, "file");
    }, "replaced"],
  ];
  for (const [damage, change] of damages) {
    using world = new StoreWorld();
    const hash = await world.insert();
    const target = world.path("target");
    await linkTree(world.store, { hash, target }, SHARED);
    const before = describeTree(target);
    damage(target);
    deepStrictEqual(await repairTree(world.store, { hash, target }, SHARED), [
      { path: ".", change },
    ]);
    deepStrictEqual(describeTree(target), before);
    deepStrictEqual(await checkTree(world.store, { hash, target }), []);
    ok(Deno.statSync("/etc/passwd").isFile);
  }
});

Deno.test("repairTree() leaves a tree as it is when the store cannot mend it", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  const target = world.path("target");
  await linkTree(world.store, { hash, target }, OWN);
  overwrite(`${target}/${SKILL}`, EVIL);
  overwrite(world.objectPath(hash, "tree", SKILL), EVIL);
  const before = describeTree(target);
  const repair = () => repairTree(world.store, { hash, target }, OWN);
  await rejects(repair, { code: "STORE_CORRUPT" });
  deepStrictEqual(describeTree(target), before);
  // The object is gone now; what is wrong can still be told, not where.
  deepStrictEqual(await checkTree(world.store, { hash, target }), [
    { path: ".", change: "changed" },
  ]);
  await rejects(repair, { code: "STORE_MISSING" });
  deepStrictEqual(describeTree(target), before);
});

Deno.test("linkTree() works alongside itself in several environments", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  const stores = [1, 2, 3, 4, 5].map(() => openStore(world.path("store")));
  const targets = stores.map((_, i) => world.path(`env-${i}`));
  await Promise.all(
    stores.map((store, i) =>
      linkTree(store, { hash, target: targets[i]! }, SHARED)
    ),
  );
  const expected = describeTree(world.objectPath(hash, "tree"));
  for (const target of targets) {
    deepStrictEqual(describeTree(target), expected);
    deepStrictEqual(await checkTree(world.store, { hash, target }), []);
  }
  for (const store of stores) store[Symbol.dispose]();
});
