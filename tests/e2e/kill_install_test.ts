/**
 * kill -9 of what changes plugins, skills and the store: just before each change of a file system that the process makes,
 * and at random times. What was begun is wholly there afterwards, or not at all.
 */

import assert from "node:assert/strict";
import { parseLock } from "../../src/manifest/mod.ts";
import type { AbsPath } from "../../src/base/paths.ts";
import { openStore, parseTreeHash, verifyStore } from "../../src/store/mod.ts";
import { writeText } from "../support/claude_items.ts";
import { GitRepository } from "../support/sources/git_repository.ts";
import { KillWorld } from "./kill_world.ts";

/** A command line, what it starts from, and how often it is killed. */
interface Case {
  readonly args: readonly string[];
  /** Brings the project env (plugin `rev` and skill `strict` installed) into the state that the command changes. */
  readonly prepare?: (world: KillWorld) => Promise<void> | void;
  /** Kills before a change; those are spread over the whole command. */
  readonly chosen: number;
  /** Kills at random times. */
  readonly random: number;
  /** Whether the store may lack what the lock pins: before it is fetched. */
  readonly isCold?: boolean;
}

const CASES: Readonly<Record<string, Case>> = {
  "add of a path": {
    args: ["add", "skill", "more", "--source", "./more"],
    chosen: 40,
    random: 8,
  },
  "add of a repository": {
    args: ["add", "plugin", "far", "--source", "git+file://HOME/far.git"],
    chosen: 0,
    random: 16,
  },
  "rm": { args: ["rm", "skill", "strict"], chosen: 12, random: 4 },
  "install with an empty store": {
    args: ["install", "--frozen"],
    // As on a machine that has just got the repository.
    prepare: (world) => world.remove("store", "envs"),
    chosen: 30,
    random: 8,
    isCold: true,
  },
  "install of what was written into the manifest": {
    args: ["install"],
    prepare: (world) => {
      const path = `${world.project}/aenv.toml`;
      const more = '\n[[skills.enabled]]\nname = "more"\nsource = "./more"\n';
      Deno.writeTextFileSync(path, Deno.readTextFileSync(path) + more);
    },
    chosen: 20,
    random: 4,
  },
  "update": {
    args: ["update"],
    prepare: (world) => {
      writeSkill(`${world.project}/strict`, "second");
      writeSkill(`${world.project}/rev/skills/one`, "second");
    },
    chosen: 30,
    random: 8,
  },
  "rollback": { args: ["rollback"], chosen: 20, random: 4 },
  "collection of what nobody needs": {
    args: ["store", "gc"],
    prepare: async (world) => {
      for (let i = 0; i < 5; i++) {
        writeSkill(`${world.project}/more`, `${i}`);
        await world.must(["add", "skill", "more", "--source", "./more"]);
        await world.must(["rm", "skill", "more"]);
      }
      await world.must(["prune", "--keep", "0"]);
    },
    chosen: 24,
    random: 8,
  },
  "the clearing up itself": {
    args: ["rollback", "--pending"],
    prepare: async (world) => {
      const args = CASES["add of a path"]!.args;
      const changes = await world.listChanges(args);
      for (const change of changes.toReversed()) {
        await world.restore("ready");
        await world.killAt(args, change);
        if (isHalfWritten(world)) break;
      }
      assert.deepEqual(world.pending().length, 1);
    },
    chosen: 12,
    random: 4,
  },
};

function isHalfWritten(world: KillWorld): boolean {
  const [manifest, lock] = ["aenv.toml", "aenv.lock"].map((name) =>
    Deno.readTextFileSync(`${world.project}/${name}`).includes("./more")
  );
  return manifest! && !lock;
}

function writeSkill(dir: string, text: string): void {
  const matter = "---\nname: x\ndescription: d\n---\n";
  writeText(`${dir}/SKILL.md`, `${matter}${text}\n`);
}

/** A project env with a plugin and a skill installed; saved as `ready`. */
async function makeWorld(): Promise<KillWorld> {
  const world = new KillWorld();
  const { project, home } = world;
  writeText(`${project}/rev/.claude-plugin/plugin.json`, '{"name":"rev"}');
  writeSkill(`${project}/rev/skills/one`, "first");
  for (const name of ["strict", "more"]) {
    writeSkill(`${project}/${name}`, name);
  }
  const far = await GitRepository.create(`${home}/far.git`);
  await far.commit({ ".claude-plugin/plugin.json": '{"name":"far"}' });
  await world.must(["init", "--no-default"]);
  await world.must(["init", "--here", "app"]);
  await world.must(["add", "plugin", "rev", "--source", "./rev"]);
  await world.must(["add", "skill", "strict", "--source", "./strict"]);
  await world.save("ready");
  return world;
}

/** The store is right, and has what the lock pins unless `mayLack`. */
async function checkStore(
  world: KillWorld,
  { mayLack }: { mayLack: boolean },
): Promise<void> {
  using store = openStore(`${world.home}/.aenv/store` as AbsPath);
  const { corrupt, written, strays } = await verifyStore(store, {
    repair: false,
  });
  assert.deepEqual({ corrupt, written, strays }, {
    corrupt: [],
    written: [],
    strays: [],
  });
  const path = `${world.project}/aenv.lock` as AbsPath;
  const lock = parseLock(Deno.readTextFileSync(path), path);
  for (const { name, tree } of [...lock.plugins, ...lock.skills]) {
    const dir = store.objectDir(parseTreeHash(tree));
    assert.ok(mayLack || exists(dir), `${name} is not in the store`);
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}

/** Kills one command in all the ways; returns how many were killed, and how many of those had a change to take back. */
async function killAll(
  { args: words, prepare, chosen, random, isCold }: Case,
): Promise<{ kills: number; midway: number }> {
  using world = await makeWorld();
  const args = words.map((word) => word.replace("HOME", world.home));
  await prepare?.(world);
  await world.save();
  const before = world.state();
  const changes = chosen > 0 ? await world.listChanges(args) : [];
  let time = Infinity;
  // The first run is slower than those that follow.
  for (let i = 0; i < 2; i++) {
    await world.restore();
    const start = performance.now();
    await world.must(args);
    time = Math.min(time, performance.now() - start);
  }
  const after = world.state();
  const step = Math.max(1, changes.length / chosen);
  const points = changes.filter((_, i) => i % step < 1);
  let kills = 0;
  let midway = 0;
  const check = async (what: string) => {
    const text = await world.must(["rollback", "--pending", "--json"]);
    const { undone, finished, stuck } = JSON.parse(text);
    assert.deepEqual(stuck, [], what);
    midway += undone.length + finished.length;
    const state = world.state();
    const isBefore = JSON.stringify(state) === JSON.stringify(before);
    if (!isBefore) assert.deepEqual(state, after, what);
    assert.deepEqual(world.halfDone(), [], what);
    assert.deepEqual(world.pending(), [], what);
    await checkStore(world, { mayLack: isBefore && isCold === true });
  };
  for (const point of points) {
    await world.restore();
    if (!await world.killAt(args, point)) kills++;
    await check(`${args.join(" ")}: ${point.call} ${point.nth}`);
  }
  for (let i = 0; i < random; i++) {
    const after = time * (0.3 + 0.7 * Math.random());
    await world.restore();
    if (!await world.kill(args, after)) kills++;
    else time *= 0.85;
    await check(`${args.join(" ")}: after ${after.toFixed(1)} ms`);
  }
  return { kills, midway };
}

/** How many cases run at the same time: each has a home of its own. */
const AT_ONCE = 3;

Deno.test("whatever changes plugins, skills or the store and is killed, at chosen and at random points, is wholly done or not at all", async () => {
  const waiting = Object.entries(CASES);
  let kills = 0;
  let midway = 0;
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, one] = next;
      const found = await killAll(one);
      const wanted = one.chosen + one.random;
      assert.ok(found.kills >= 0.6 * wanted, `${name}: only ${found.kills}`);
      kills += found.kills;
      midway += found.midway;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const count = `${kills} were killed, ${midway} of them midway`;
  assert.ok(kills >= 200 && midway >= 20, count);
});
