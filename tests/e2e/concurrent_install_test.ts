/** Many processes that change what environments consist of, at the same time. */

import assert from "node:assert/strict";
import { type AbsPath } from "../../src/base/paths.ts";
import {
  compareLock,
  parseLock,
  parseManifest,
} from "../../src/manifest/mod.ts";
import { openStore, parseTreeHash, verifyStore } from "../../src/store/mod.ts";
import { writeText } from "../support/claude_items.ts";
import type { Finished } from "../support/process.ts";
import { KillWorld } from "./kill_world.ts";

/** What a process that was too slow says: nothing was changed, and what to do. */
const OVERTAKEN = /^aenv: .*changed meanwhile\n {2}Try again/m;

function writeSkill(dir: string): void {
  const matter = "---\nname: x\ndescription: d\n---\n";
  writeText(`${dir}/SKILL.md`, `${matter}${dir}\n`);
}

/** A project env `app` with skills `old0` and `old1`, and global envs `a` and `b`. */
async function makeWorld(): Promise<KillWorld> {
  const world = new KillWorld();
  for (const name of ["old0", "old1", "moving"]) {
    writeSkill(`${world.project}/${name}`);
  }
  for (let i = 0; i < 20; i++) writeSkill(`${world.project}/new${i}`);
  await world.must(["init", "--no-default"]);
  await world.must(["new", "a"]);
  await world.must(["new", "b"]);
  await world.must(["init", "--here", "app"]);
  for (const name of ["old0", "old1", "moving"]) {
    await world.must(["add", "skill", name, "--source", `./${name}`]);
  }
  return world;
}

/** Names of the skills of a manifest, whose lock must agree with it and be in the store. */
function skillsOf(world: KillWorld, dir: string): string[] {
  const path = `${dir}/aenv.toml` as AbsPath;
  const manifest = parseManifest(Deno.readTextFileSync(path), path);
  const text = Deno.readTextFileSync(`${dir}/aenv.lock`);
  const lock = parseLock(text, `${dir}/aenv.lock`);
  assert.deepEqual(compareLock(manifest, lock), []);
  using store = openStore(`${world.home}/.aenv/store` as AbsPath);
  for (const { name, tree } of lock.skills) {
    const object = store.objectDir(parseTreeHash(tree));
    assert.ok(Deno.statSync(object).isDirectory, name);
  }
  return manifest.skills.map(({ name }) => name as string).sort();
}

async function checkStore(world: KillWorld): Promise<void> {
  using store = openStore(`${world.home}/.aenv/store` as AbsPath);
  const { corrupt, strays } = await verifyStore(store, { repair: false });
  assert.deepEqual([corrupt, strays], [[], []]);
}

/** Runs all at once, those that were overtaken again, until all have succeeded; returns how many had to try again. */
async function runAll(
  world: KillWorld,
  commands: readonly (readonly string[])[],
): Promise<number> {
  let left = commands;
  let again = 0;
  while (left.length > 0) {
    const done = await Promise.all(left.map((args) => world.run(args)));
    const failed = left.filter((_, i) => !succeeded(done[i]!, left[i]!));
    assert.ok(failed.length < left.length, "each time somebody is first");
    again += failed.length;
    left = failed;
  }
  return again;
}

function succeeded(
  { code, stdout, stderr }: Finished,
  args: readonly string[],
): boolean {
  assert.doesNotMatch(stderr, /took back|finished/, args.join(" "));
  if (code === 0) return true;
  assert.match(stderr, OVERTAKEN, args.join(" "));
  assert.deepEqual([code, stdout], [1, ""], args.join(" "));
  return false;
}

Deno.test("twenty processes that add, remove, install and update in one environment and in several lose nothing, or say why", async () => {
  using world = await makeWorld();
  writeText(`${world.project}/moving/more.md`, "more");
  const before = skillsOf(world, world.project);
  assert.deepEqual(before, ["moving", "old0", "old1"]);
  const add = (i: number) => ["add", "skill", `new${i}`, "--source"];
  const commands = [
    ...[0, 1, 2, 3, 4, 5, 6].map((i) => [...add(i), `./new${i}`]),
    ["rm", "skill", "old0"],
    ["rm", "skill", "old1"],
    ["install"],
    ["install"],
    ["update", "moving"],
    ["lock"],
    ...["a", "b"].flatMap((env) =>
      [7, 8, 9].map((i) => [
        ...[...add(i), `${world.project}/new${i}`],
        ...["-E", env],
      ])
    ),
    ["new", "c", "--from", "a"],
  ];
  assert.equal(commands.length, 20);
  await runAll(world, commands);
  const names = (list: readonly number[]) => list.map((i) => `new${i}`);
  assert.deepEqual(skillsOf(world, world.project), [
    "moving",
    ...names([0, 1, 2, 3, 4, 5, 6]),
  ]);
  for (const env of ["a", "b"]) {
    const dir = `${world.home}/.aenv/envs/${env}`;
    assert.deepEqual(skillsOf(world, dir), names([7, 8, 9]));
  }
  await checkStore(world);
  assert.deepEqual(world.halfDone(), []);
  const history = await world.history();
  assert.deepEqual(
    history.filter(({ status }) => status !== "committed"),
    [],
  );
  assert.equal(history.filter(({ kind }) => kind === "add").length, 3 + 13);
});

Deno.test("twenty processes that install the same into an empty store at once all succeed and keep it once", async () => {
  using world = await makeWorld();
  await world.remove("store");
  const installs = Array.from({ length: 20 }, () => ["install", "--frozen"]);
  assert.equal(await runAll(world, installs), 0);
  skillsOf(world, world.project);
  await checkStore(world);
  assert.deepEqual(world.halfDone(), []);
  const store = `${world.home}/.aenv/store/objects`;
  const objects = [...Deno.readDirSync(store)]
    .flatMap(({ name }) => [...Deno.readDirSync(`${store}/${name}`)]);
  assert.equal(objects.length, 3);
});
