/** kill -9 of `sync`, just before each change of a file system that it makes: the disk is as before, or as the lock says. */

import assert from "node:assert/strict";
import { writeText } from "../support/claude_items.ts";
import { KillWorld } from "./kill_world.ts";

/** How many points of the whole command are tried. */
const POINTS = 40;

/** A project env with a plugin and two skills: one place is missing, one changed, and one is nobody's. */
async function makeWorld(): Promise<KillWorld> {
  const world = new KillWorld();
  const { project, home } = world;
  writeText(`${project}/rev/.claude-plugin/plugin.json`, '{"name":"rev"}');
  writeText(`${project}/a/SKILL.md`, "a\n");
  writeText(`${project}/b/SKILL.md`, "b\n");
  await world.must(["init", "--no-default"]);
  await world.must(["init", "--here", "app"]);
  await world.must(["add", "plugin", "rev", "--source", "./rev"]);
  await world.must(["add", "skill", "a", "--source", "./a"]);
  await world.must(["add", "skill", "b", "--source", "./b"]);
  await world.must(["sync"]);
  const script = `cd "$1"/.aenv/envs/app-*/installed && umask 077 &&
    chmod u+w */skills/skills/a/SKILL.md && echo x | tee */skills/skills/a/SKILL.md &&
    mkdir mine && echo note > mine/note && D=$(dirname */rev) && chmod -R u+w $D && rm -r $D`;
  const args = ["-c", script, "sh", home];
  const { success } = await new Deno.Command("/bin/sh", {
    args,
    stdout: "null",
  }).output();
  assert.ok(success);
  await world.save();
  return world;
}

Deno.test("sync, killed at any point, has made the disk match or changed nothing", async () => {
  using world = await makeWorld();
  const before = world.state();
  const changes = await world.listChanges(["sync"]);
  const after = world.state();
  assert.notDeepEqual(after, before);
  const step = Math.max(1, changes.length / POINTS);
  let [kills, midway] = [0, 0];
  for (const change of changes.filter((_, i) => i % step < 1)) {
    await world.restore();
    if (!await world.killAt(["sync"], change)) kills++;
    const what = `${change.call} ${change.nth}`;
    const text = await world.must(["rollback", "--pending", "--json"]);
    const { undone, finished, stuck } = JSON.parse(text);
    assert.deepEqual(stuck, [], what);
    midway += undone.length + finished.length;
    const state = world.state();
    const isBefore = JSON.stringify(state) === JSON.stringify(before);
    if (!isBefore) assert.deepEqual(state, after, what);
    assert.deepEqual(world.halfDone(), [], what);
    assert.deepEqual(world.pending(), [], what);
  }
  assert.ok(kills > POINTS / 2, `only ${kills} of ${changes.length}`);
  assert.ok(midway > 0, "none was killed midway");
});
