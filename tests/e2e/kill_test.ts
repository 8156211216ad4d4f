/** kill -9, at any time: what was begun is wholly there afterwards, or not at all. */

import assert from "node:assert/strict";
import { makeKillWorld } from "./kill_world.ts";

/** Command lines, each of which changes the world that is made for it. */
const COMMANDS: readonly (readonly string[])[] = [
  ["new", "c", "--from", "a"],
  ["remove", "a", "--force"],
  ["rename", "a", "z"],
  ["use", "a"],
  ["use", "--global", "b"],
  ["init", "--here", "app"],
  ["rollback"],
  ["rollback", "--force", "OF_RENAME"],
  ["prune", "--keep", "0"],
];

const isLinux = Deno.build.os === "linux";

/** Kills of each command at random times, and just before a change of the file system, for which other systems have no tool. */
const [KILLS_EACH, CHOSEN_EACH] = isLinux ? [9, 5] : [12, 0];

Deno.test("a command that is killed at a random time is wholly done or not at all, once aenv rollback --pending has run", async () => {
  using world = await makeKillWorld();
  await world.must(["rename", "b", "y"]);
  const [rename] = await world.history();
  await world.must(["init", "--here", "proj"]);
  await world.must(["use", "a"]);
  Deno.removeSync(`${world.home}/w/aenv.toml`);
  await world.save();
  const before = world.state();
  let kills = 0;
  let midway = 0;
  for (const words of COMMANDS) {
    const args = words.map((word) => word === "OF_RENAME" ? rename!.id : word)
      .map((word) => word === "b" && words[0] === "use" ? "y" : word);
    await world.restore();
    const start = performance.now();
    await world.must(args);
    let aim = 0.9 * (performance.now() - start);
    const after = world.state();
    /** Returns whether it was killed before it began. */
    const check = async (what: string): Promise<boolean> => {
      const cleared = await world.must(["rollback", "--pending", "--json"]);
      const { undone, finished } = JSON.parse(cleared);
      midway += undone.length + finished.length;
      const state = world.state();
      const isBefore = JSON.stringify(state) === JSON.stringify(before);
      if (!isBefore) assert.deepEqual(state, after, what);
      assert.deepEqual(world.halfDone(), [], what);
      assert.deepEqual(world.pending(), [], what);
      return isBefore && undone.length === 0;
    };
    let alive = 0;
    for (let i = 0; i < KILLS_EACH + alive && i < 2 * KILLS_EACH; i++) {
      await world.restore();
      const ended = await world.kill(args, aim * (0.9 + 0.2 * Math.random()));
      if (ended) alive++;
      else kills++;
      // Sometimes the clearing up is killed as well.
      if (i % 5 === 4) {
        await world.kill(["rollback", "--pending"], 30 + 30 * Math.random());
      }
      const isEarly = await check(`${args.join(" ")}, kill ${i}`);
      // Most of a process is its start: the aim moves to where changes are made.
      aim *= ended ? 0.92 : isEarly ? 1.04 : 0.97;
    }
    await world.restore();
    const changes = isLinux ? await world.listChanges(args) : [];
    for (let i = 0; i < CHOSEN_EACH; i++) {
      // How long a process takes depends on the machine: these kills are midway on any.
      const at = Math.floor(changes.length * (i + Math.random()) / CHOSEN_EACH);
      const change = changes[at]!;
      await world.restore();
      if (!await world.killAt(args, change)) kills++;
      await check(`${args.join(" ")}, before ${change.call} ${change.nth}`);
    }
  }
  const count = `${kills} were killed, ${midway} of them midway`;
  assert.ok(kills >= 100 && midway >= 10, count);
});

Deno.test("twenty processes that change the home at once lose no update of another", async () => {
  using world = await makeKillWorld();
  const numbers = Array.from({ length: 20 }, (_, i) => i);
  const done = await Promise.all(numbers.map((i) => {
    if (i % 4 === 0) return world.run(["use", "--global", i % 8 ? "a" : "b"]);
    return world.run(["new", `n${i}`, ...(i % 4 === 1 ? ["--from", "b"] : [])]);
  }));
  for (const [i, { code, stderr }] of done.entries()) {
    assert.equal(code, 0, `${i}: ${stderr}`);
    assert.doesNotMatch(stderr, /took back|finished/);
  }
  const envs = JSON.parse(await world.must(["list", "--json"]))
    .map((row: { name: string }) => row.name);
  const made = numbers.filter((i) => i % 4 !== 0).map((i) => `n${i}`);
  assert.deepEqual(made.filter((name) => !envs.includes(name)), []);
  const history = await world.history();
  assert.equal(history.filter((change) => change.kind === "new").length, 17);
  assert.deepEqual(
    history.filter((change) => change.status !== "committed"),
    [],
  );
  assert.deepEqual(world.halfDone(), []);
  // Each can be taken back, the last first.
  for (const _ of history) await world.must(["rollback", "--force"]);
  assert.deepEqual(
    [...Deno.readDirSync(`${world.home}/.aenv`)].map((entry) => entry.name)
      .filter((name) => !["state", "trash", ".lock", "audit"].includes(name)),
    [],
  );
});

Deno.test("of twenty processes that want the same name, or the same env, one gets it and the others say why not", async () => {
  using world = await makeKillWorld();
  const numbers = Array.from({ length: 10 }, (_, i) => i);
  const done = await Promise.all(numbers.flatMap((i) => [
    world.run(["new", "same"]),
    world.run(["rename", "b", `b${i}`]),
  ]));
  const made = done.filter((_, i) => i % 2 === 0);
  const renamed = done.filter((_, i) => i % 2 === 1);
  for (const group of [made, renamed]) {
    assert.equal(group.filter(({ code }) => code === 0).length, 1);
    for (const { code, stderr } of group) {
      if (code === 0) continue;
      assert.equal(code, 1);
      assert.match(stderr, /it exists already|there is none of that name/);
    }
  }
  assert.deepEqual(world.halfDone(), []);
});
