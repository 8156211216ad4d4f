import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  describeTree,
  overwrite,
  SAMPLE,
  StoreWorld,
} from "../../tests/support/store_world.ts";
import { waitForTick } from "../../tests/support/ticks.ts";
import { type AbsPath } from "../base/paths.ts";
import { markOf } from "../os/marks.ts";
import {
  checkTree,
  type Difference,
  linkTree,
  repairTree,
  unlinkTree,
} from "./mod.ts";
import { findChanged, isAsRecorded } from "./placed.ts";
import { readObject } from "./objects.ts";

const METHODS = [{ share: true }, { share: false }];

/** Something done to a placed tree, and what a check must say to it. */
type Case = readonly [
  what: string,
  change: (target: string) => void,
  expected: readonly Difference[],
];

function replace(path: string, text: string): void {
  const info = Deno.statSync(path);
  Deno.chmodSync(path.slice(0, path.lastIndexOf("/")), 0o700);
  Deno.writeTextFileSync(path + ".new", text);
  Deno.utimeSync(path + ".new", info.atime!, info.mtime!);
  Deno.chmodSync(path + ".new", info.mode! & 0o777);
  Deno.renameSync(path + ".new", path);
  Deno.chmodSync(path.slice(0, path.lastIndexOf("/")), 0o500);
}

/** Runs `work` while a directory can be written, and puts its times and bits back. */
function inside(dir: string, work: () => void): void {
  const info = Deno.statSync(dir);
  Deno.chmodSync(dir, 0o700);
  work();
  Deno.utimeSync(dir, info.atime!, info.mtime!);
  Deno.chmodSync(dir, 0o500);
}

const CASES: readonly Case[] = [
  ["nothing", () => {}, []],
  ["a write that keeps size, time and mode", (t) => {
    overwrite(`${t}/SKILL.md`, "Be evil!!\n");
  }, [{ path: "SKILL.md", change: "changed" }]],
  ["a longer text", (t) => overwrite(`${t}/nothing`, "something"), [
    { path: "nothing", change: "changed" },
  ]],
  ["a replacement that looks the same", (t) => {
    replace(`${t}/SKILL.md`, "Be evil!!\n");
  }, [{ path: "SKILL.md", change: "changed" }]],
  ["a replacement that is the same", (t) => {
    replace(`${t}/SKILL.md`, "Be brief.\n");
  }, []],
  ["another mode of a file", (t) => Deno.chmodSync(`${t}/nothing`, 0o600), [
    { path: "nothing", change: "mode" },
  ]],
  ["the right to execute taken away", (t) => {
    Deno.chmodSync(`${t}/bin/tool`, 0o400);
  }, [{ path: "bin/tool", change: "mode" }]],
  ["the right to read taken away", (t) => Deno.chmodSync(`${t}/SKILL.md`, 0), [
    { path: "SKILL.md", change: "changed" },
  ]],
  ["another mode of a directory", (t) => Deno.chmodSync(`${t}/docs`, 0o777), [
    { path: "docs", change: "mode" },
  ]],
  ["another mode of the root", (t) => Deno.chmodSync(t, 0o700), [
    { path: ".", change: "mode" },
  ]],
  ["a time that was touched", (t) => Deno.utimeSync(`${t}/SKILL.md`, 9, 9), []],
  ["a file added", (t) =>
    inside(`${t}/docs/deep`, () => {
      Deno.writeTextFileSync(`${t}/docs/deep/new.md`, "x");
    }), [{ path: "docs/deep/new.md", change: "added" }]],
  ["a tree added to the root", (t) =>
    inside(t, () => {
      Deno.mkdirSync(`${t}/hooks/a/b`, { recursive: true });
    }), [{ path: "hooks", change: "added" }]],
  ["what an insertion leaves out", (t) =>
    inside(`${t}/bin`, () => {
      Deno.mkdirSync(`${t}/bin/__pycache__`);
    }), [{ path: "bin/__pycache__", change: "added" }]],
  ["a name in another Unicode form", (t) =>
    inside(`${t}/docs`, () => {
      Deno.writeTextFileSync(`${t}/docs/${"한국어.md".normalize("NFD")}`, "x");
    }), [
    { path: `docs/${"한국어.md".normalize("NFD")}`, change: "added" },
  ]],
  ["a name that is not text", (t) =>
    inside(t, () => {
      const script = `: > "$(printf 'bad\\377')"`;
      new Deno.Command("sh", { args: ["-c", script], cwd: t }).outputSync();
    }), [{ path: "bad\ufffd", change: "added" }]],
  [
    "a file removed",
    (t) => inside(`${t}/docs`, () => Deno.removeSync(`${t}/docs/한국어.md`)),
    [
      { path: "docs/한국어.md", change: "removed" },
    ],
  ],
  [
    "a directory removed",
    (t) => inside(t, () => Deno.removeSync(`${t}/docs`, { recursive: true })),
    [
      { path: "docs", change: "removed" },
    ],
  ],
  ["a file that became a link to a copy of it", (t) =>
    inside(t, () => {
      Deno.removeSync(`${t}/SKILL.md`);
      Deno.symlinkSync("docs/link.md", `${t}/SKILL.md`);
    }), [{ path: "SKILL.md", change: "replaced" }]],
  ["a directory that became a link", (t) =>
    inside(t, () => {
      Deno.renameSync(`${t}/docs`, `${t}/../docs-elsewhere`);
      Deno.symlinkSync("../docs-elsewhere", `${t}/docs`);
    }), [{ path: "docs", change: "replaced" }]],
  ["a link that leads elsewhere", (t) =>
    inside(`${t}/docs`, () => {
      Deno.removeSync(`${t}/docs/link.md`);
      Deno.symlinkSync("/etc/passwd", `${t}/docs/link.md`);
    }), [{ path: "docs/link.md", change: "changed" }]],
  ["two files that changed places", (t) =>
    inside(t, () => {
      Deno.renameSync(`${t}/SKILL.md`, `${t}/x`);
      Deno.renameSync(`${t}/nothing`, `${t}/SKILL.md`);
      Deno.renameSync(`${t}/x`, `${t}/nothing`);
    }), [
    { path: "SKILL.md", change: "changed" },
    { path: "nothing", change: "changed" },
  ]],
  ["several things", (t) => {
    overwrite(`${t}/SKILL.md`, "");
    inside(t, () => Deno.removeSync(`${t}/empty`));
    inside(`${t}/bin`, () => Deno.writeTextFileSync(`${t}/bin/x`, ""));
  }, [
    { path: "SKILL.md", change: "changed" },
    { path: "bin/x", change: "added" },
    { path: "empty", change: "removed" },
  ]],
];

for (const [what, change, expected] of CASES) {
  Deno.test(`checkTree() finds ${what}, and repairTree() mends it`, async () => {
    for (const options of METHODS) {
      using world = new StoreWorld();
      const { store } = world;
      const hash = await world.insert();
      const placement = { hash, target: world.path("target") };
      await linkTree(store, placement, options);
      const before = describeTree(placement.target);
      change(placement.target);
      deepStrictEqual(await checkTree(store, placement), expected);
      deepStrictEqual(await checkTree(store, placement), expected);
      deepStrictEqual(await repairTree(store, placement, options), expected);
      deepStrictEqual(await checkTree(store, placement), []);
      deepStrictEqual(describeTree(placement.target), before);
    }
  });
}

/** Whether a check finds all as recorded, so that it reads no file. */
function isCheap(world: StoreWorld, { hash, target }: {
  readonly hash: Parameters<typeof readObject>[1];
  readonly target: AbsPath;
}): boolean {
  const object = readObject(world.store, hash)!;
  const isCheap = isAsRecorded(object.dir, target);
  strictEqual(findChanged(object, target).length === 0, isCheap);
  return isCheap;
}

Deno.test("checkTree() reads no file right after a tree was placed, also when it was placed elsewhere since", async () => {
  for (const options of METHODS) {
    using world = new StoreWorld();
    const hash = await world.insert();
    const placements = [1, 2, 3].map((i) => ({
      hash,
      target: world.path(`${i}`),
    }));
    for (const placement of placements) {
      await linkTree(world.store, placement, options);
    }
    for (const placement of placements) {
      strictEqual(isCheap(world, placement), true);
    }
  }
});

Deno.test("checkTree() remembers what it found to be right after all", async () => {
  for (const options of METHODS) {
    using world = new StoreWorld();
    const hash = await world.insert();
    const [a, b] = ["a", "b"].map((name) => ({
      hash,
      target: world.path(name),
    }));
    await linkTree(world.store, a!, options);
    await linkTree(world.store, b!, options);
    waitForTick(world.dir);
    // A name less changes the times of a file under its other names.
    Deno.removeSync(a!.target, { recursive: true });
    Deno.utimeSync(`${b!.target}/nothing`, 7, 7);
    strictEqual(isCheap(world, b!), false);
    deepStrictEqual(await checkTree(world.store, b!), []);
    strictEqual(isCheap(world, b!), true);
  }
});

Deno.test("unlinkTree() removes a tree, and no other environment has to look twice", async () => {
  for (const options of METHODS) {
    using world = new StoreWorld();
    const hash = await world.insert();
    const [a, b] = ["a", "b"].map((name) => ({
      hash,
      target: world.path(name),
    }));
    await linkTree(world.store, a!, options);
    await linkTree(world.store, b!, options);
    waitForTick(world.dir);
    await unlinkTree(world.store, a!);
    strictEqual(markOf(a!.target), undefined);
    strictEqual(isCheap(world, b!), true);
    // What was written before does not become right by it.
    await linkTree(world.store, a!, options);
    overwrite(`${a!.target}/SKILL.md`, "Be evil!!\n");
    await unlinkTree(world.store, a!);
    const isShared = !isCheap(world, b!);
    const expected = isShared ? [{ path: "SKILL.md", change: "changed" }] : [];
    deepStrictEqual(await checkTree(world.store, b!), expected);
    await unlinkTree(world.store, a!);
  }
});

Deno.test("repairTree() leaves other environments as they were: none has to look twice", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  const [a, b] = ["a", "b"].map((name) => ({ hash, target: world.path(name) }));
  for (const placement of [a!, b!]) {
    await linkTree(world.store, placement, { share: true });
  }
  waitForTick(world.dir);
  inside(a!.target, () => Deno.removeSync(`${a!.target}/empty`));
  await repairTree(world.store, a!, { share: true });
  for (const placement of [a!, b!]) {
    strictEqual(isCheap(world, placement), true);
  }
});

Deno.test("checkTree() stays cheap when the environment moves", async () => {
  for (const options of METHODS) {
    using world = new StoreWorld();
    const hash = await world.insert();
    const target = world.path("env", "installed", "x");
    await linkTree(world.store, { hash, target }, options);
    Deno.renameSync(world.path("env"), world.path("renamed"));
    const moved = world.path("renamed", "installed", "x");
    strictEqual(isCheap(world, { hash, target: moved }), true);
    deepStrictEqual(await checkTree(world.store, { hash, target: moved }), []);
  }
});

Deno.test("checkTree() takes a tree that somebody copied there for right, once its contents are", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  const [a, b] = [world.path("a"), world.path("b")];
  await linkTree(world.store, { hash, target: a }, { share: false });
  new Deno.Command("cp", { args: ["-a", a, b] }).outputSync();
  strictEqual(isCheap(world, { hash, target: b }), false);
  deepStrictEqual(await checkTree(world.store, { hash, target: b }), []);
  strictEqual(isCheap(world, { hash, target: b }), true);
  deepStrictEqual(
    await checkTree(world.store, { hash: await world.insert({}), target: b }),
    [".claude-plugin", "SKILL.md", "bin", "docs", "empty", "nothing"]
      .map((path) => ({ path, change: "added" })),
  );
});

Deno.test("checkTree() works without the object, by the hash alone", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  const placement = { hash, target: world.path("target") };
  await linkTree(world.store, placement, { share: false });
  Deno.removeSync(world.objectPath(hash), { recursive: true });
  deepStrictEqual(await checkTree(world.store, placement), []);
  inside(
    placement.target,
    () => Deno.writeTextFileSync(`${placement.target}/.DS_Store`, "x"),
  );
  deepStrictEqual(await checkTree(world.store, placement), [
    { path: ".", change: "changed" },
  ]);
  Deno.removeSync(placement.target, { recursive: true });
  deepStrictEqual(await checkTree(world.store, placement), [
    { path: ".", change: "removed" },
  ]);
});

Deno.test("checkTree() does not trust damaged records", async () => {
  const damages: ((bytes: Uint8Array) => Uint8Array)[] = [
    () => new Uint8Array(),
    () => new TextEncoder().encode("something else, of some length".repeat(3)),
    (bytes) => bytes.subarray(0, -1),
    (bytes) => bytes.subarray(0, 40),
    (bytes) => new Uint8Array([...bytes, 0]),
    (bytes) => bytes.with(6, 0),
    (bytes) => bytes.fill(0),
    (bytes) => bytes.fill(0x40, 8, 16),
  ];
  for (const damage of damages) {
    using world = new StoreWorld();
    const hash = await world.insert();
    const placement = { hash, target: world.path("target") };
    await linkTree(world.store, placement, { share: true });
    const records = ["shared.marks", "shared.span", "tree.marks"].map((name) =>
      world.objectPath(hash, name)
    ).filter((path) => markOf(path) !== undefined);
    const ino = markOf(placement.target)!.ino;
    records.push(world.objectPath(hash, "links", `${ino}`));
    for (const path of records) {
      Deno.writeFileSync(path, damage(Deno.readFileSync(path)));
    }
    deepStrictEqual(await checkTree(world.store, placement), []);
    overwrite(`${placement.target}/SKILL.md`, "Be evil!!\n");
    deepStrictEqual(await checkTree(world.store, placement), [
      { path: "SKILL.md", change: "changed" },
    ]);
    const next = { hash, target: world.path("next") };
    await linkTree(world.store, next, { share: true });
    strictEqual(
      Deno.readTextFileSync(`${next.target}/SKILL.md`),
      SAMPLE["SKILL.md"],
    );
  }
});
