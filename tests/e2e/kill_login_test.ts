/** kill -9 just before each change of a file system that `migrate-auth` makes: there is one login, and the next run finishes. */

import assert from "node:assert/strict";
import { credentials } from "../support/oauth_stub.ts";
import { type Change, KillWorld } from "./kill_world.ts";

const LOGIN = credentials(4_000_000_000_000);
const SETTINGS = '{"theme": "dark"}\n';

/** A home with a login; `root` is its aenv home. */
function makeWorld(root?: string): KillWorld {
  const world = new KillWorld(root === undefined ? {} : { AENV_HOME: root });
  Deno.mkdirSync(`${world.home}/.claude`, { mode: 0o700 });
  const [own] = places(world, root);
  Deno.writeTextFileSync(own, LOGIN, { mode: 0o600 });
  Deno.writeTextFileSync(`${world.home}/.claude/settings.json`, SETTINGS);
  return world;
}

function places({ home }: KillWorld, root?: string): [string, string] {
  const name = ".credentials.json";
  const base = root ?? `${home}/.aenv`;
  return [`${home}/.claude/${name}`, `${base}/login/claude/${name}`];
}

/** Those of the paths at which the login is, byte for byte. */
function found(paths: readonly string[]): string[] {
  return paths.filter((path) => {
    try {
      return Deno.readTextFileSync(path) === LOGIN;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}

/** The first change in our home: what comes before is the start of the process. */
function spread(changes: readonly Change[], count: number): Change[] {
  if (changes.length <= count) return [...changes];
  const step = changes.length / count;
  return Array.from(
    { length: count },
    (_, i) => changes[Math.floor(i * step)]!,
  );
}

Deno.test({
  name:
    "migrate-auth, killed before any change, leaves one login, and is finished or taken back by the next",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using world = makeWorld();
    const [own, shared] = places(world);
    const settings = `${world.home}/.claude/settings.json`;
    await world.save("before");
    const move = ["migrate-auth", "--yes"];
    const undo = ["migrate-auth", "--undo"];
    const moves = await world.listChanges(move);
    const named = Deno.readTextFileSync(settings);
    await world.save("moved");
    const undos = await world.listChanges(undo);
    assert.ok(moves.length > 20 && undos.length > 15, `${moves.length}`);
    let kills = 0;
    for (
      const [args, saved, changes] of [
        [move, "before", moves],
        [undo, "moved", undos],
      ] as const
    ) {
      for (const [i, change] of changes.entries()) {
        const what = `${args.join(" ")} before ${change.call} ${change.nth}`;
        await world.restore(saved);
        if (!await world.killAt(args, change)) kills++;
        assert.equal(found([own, shared]).length, 1, what);
        // Forth and back in turn.
        const isForth = i % 2 === 0;
        const next = await world.run(isForth ? move : undo);
        const isNothing = !isForth && /was not moved/.test(next.stderr);
        assert.ok(next.code === 0 || isNothing, `${what}: ${next.stderr}`);
        assert.deepEqual(found([own, shared]), [isForth ? shared : own], what);
        assert.equal(
          Deno.readTextFileSync(settings),
          isForth ? named : SETTINGS,
          what,
        );
      }
    }
    assert.ok(kills > 0.9 * (moves.length + undos.length), `${kills}`);
  },
});

Deno.test({
  name:
    "migrate-auth to another file system, killed before any change, loses no login, and leaves one when it is run again",
  ignore: Deno.build.os !== "linux",
  async fn() {
    // A file system of its own on every Linux, in memory.
    const base = Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "aenv-" });
    try {
      const root = `${base}/aenv`;
      using world = makeWorld(root);
      const [own, shared] = places(world, root);
      assert.notEqual(Deno.statSync(base).dev, Deno.statSync(own).dev);
      await world.save("before");
      const move = ["migrate-auth", "--yes"];
      const undo = ["migrate-auth", "--undo"];
      const moves = await world.listChanges(move);
      assert.deepEqual(found([own, shared]), [shared]);
      let kills = 0;
      for (const change of spread(moves, 60)) {
        const what = `before ${change.call} ${change.nth}`;
        await world.restore("before");
        await Deno.remove(root, { recursive: true });
        if (!await world.killAt(move, change)) kills++;
        assert.ok(found([own, shared]).length > 0, what);
        await world.must(move);
        assert.deepEqual(found([own, shared]), [shared], what);
        const left = [...Deno.readDirSync(`${root}/login/claude`)];
        assert.deepEqual(left.map(({ name }) => name), [".credentials.json"]);
        await world.must(undo);
        assert.deepEqual(found([own, shared]), [own], what);
      }
      assert.ok(kills > 20, `${kills}`);
    } finally {
      Deno.removeSync(base, { recursive: true });
    }
  },
});

Deno.test({
  name: "a login is in one place after migrate-auth was killed at random times",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using world = makeWorld();
    const [own, shared] = places(world);
    const args = [["migrate-auth", "--yes"], ["migrate-auth", "--undo"]];
    const start = performance.now();
    await world.must(args[0]!);
    const whole = performance.now() - start;
    for (let i = 0; i < 40; i++) {
      await world.kill(args[(i + 1) % 2]!, whole * (0.3 + 0.7 * Math.random()));
      assert.equal(found([own, shared]).length, 1);
    }
    await world.must(args[0]!);
    assert.deepEqual(found([own, shared]), [shared]);
  },
});
