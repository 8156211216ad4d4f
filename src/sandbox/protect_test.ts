import assert from "node:assert/strict";
import { Protected } from "../../tests/support/protected_world.ts";
import type { AbsPath } from "../base/paths.ts";
import { acceptChanges, protectStates } from "./protect_record.ts";
import { sessionName } from "./protect_open.ts";
import { revertChanges } from "./protect_revert.ts";

/** A session of a process that is gone. */
const DEAD = "999999999-1";

Deno.test("a run that changes nothing protected leaves nothing to look at", async () => {
  using world = new Protected();
  assert.deepEqual(await world.begin(), []);
  world.file("project/src/main.c");
  world.file("project/.git/objects/ab");
  assert.deepEqual(await world.end(), []);
  assert.deepEqual(protectStates(world.place.dir), [{
    project: world.place.project,
    changes: [],
    running: 0,
  }]);
});

Deno.test("every kind of change is found: made, taken away, written, mode, replaced, led elsewhere", async () => {
  using world = new Protected();
  world.link("project/.vscode/link", "a");
  await world.begin();
  world.file("project/.mcp.json", "{}");
  world.file("project/.claude/hooks/x", "x");
  world.file("project/.git/config", "CONFIG");
  Deno.chmodSync(world.at("project/.git/hooks/pre-commit"), 0o755);
  Deno.removeSync(world.at("project/.vscode/tasks.json"));
  world.dir("project/.vscode/tasks.json");
  Deno.removeSync(world.at("project/.vscode/link"));
  world.link("project/.vscode/link", "b");
  Deno.removeSync(world.at("project/.git/HEAD"));
  assert.deepEqual(await world.end(), [
    "created .claude",
    "created .claude/hooks",
    "created .claude/hooks/x",
    "content .git/config",
    "mode .git/hooks/pre-commit",
    "created .mcp.json",
    "target .vscode/link",
    "kind .vscode/tasks.json",
  ]);
});

Deno.test("a change is found although size and times of the file are put back", async () => {
  using world = new Protected();
  const config = world.at("project/.git/config");
  const { mtime, atime } = Deno.statSync(config);
  await world.begin();
  Deno.writeTextFileSync(config, "CONFIG");
  Deno.utimeSync(config, atime!, mtime!);
  assert.deepEqual(await world.end(), ["content .git/config"]);
});

Deno.test("directories that are moved away and links in their place are found", async () => {
  using world = new Protected();
  await world.begin();
  Deno.renameSync(world.at("project/.git"), world.at("project/old"));
  world.link("project/.git", "old");
  Deno.renameSync(world.at("project/.vscode"), world.at("project/code"));
  world.link("project/.vscode", "code");
  assert.deepEqual(await world.end(), [
    "kind .git",
    "kind .vscode",
    "deleted .vscode/tasks.json",
  ]);
});

Deno.test("the next launch is told of a change that nobody looked at, and goes on once it is accepted", async () => {
  using world = new Protected();
  await world.begin();
  world.file("project/.envrc", "evil");
  await world.end();
  assert.deepEqual(world.shown(await world.begin()), ["created .envrc"]);
  assert.deepEqual(world.shown(await world.begin()), ["created .envrc"]);
  const accepted = await acceptChanges(world.place);
  assert.deepEqual(world.shown(accepted), ["created .envrc"]);
  assert.deepEqual(await world.begin(), []);
});

Deno.test("the next launch is told of a change behind a session that never ended", async () => {
  using world = new Protected();
  await world.begin(DEAD);
  world.kill(DEAD);
  world.file("project/.envrc", "evil");
  assert.deepEqual(
    protectStates(world.place.dir).map(({ changes }) => changes.length),
    [1],
  );
  assert.deepEqual(world.shown(await world.begin()), ["created .envrc"]);
});

Deno.test("what the user changes between sessions is nobody's business", async () => {
  using world = new Protected();
  await world.begin();
  await world.end();
  world.file("project/.vscode/tasks.json", '{"mine":1}');
  assert.deepEqual(protectStates(world.place.dir)[0]!.changes, []);
  assert.deepEqual(await world.begin(), []);
});

Deno.test("a session that begins beside another does not make its changes right", async () => {
  using world = new Protected();
  const first = sessionName(Deno.pid);
  const second = sessionName(Deno.ppid);
  await world.begin(first);
  assert.deepEqual(await world.begin(second), []);
  world.file("project/.envrc", "evil");
  assert.deepEqual(await world.end(first), ["created .envrc"]);
  assert.deepEqual(await world.end(second), ["created .envrc"]);
  assert.deepEqual(world.shown(await world.begin()), ["created .envrc"]);
});

Deno.test("revertChanges() brings everything back as it was, and keeps what it took away", async () => {
  using world = new Protected();
  Deno.chmodSync(world.at("project/.git/hooks/pre-commit"), 0o755);
  await world.begin();
  world.file("project/.claude/settings.json", "evil");
  world.file("project/.git/hooks/post-checkout", "evil too");
  world.file("project/.git/hooks/pre-commit", "evil as well");
  Deno.chmodSync(world.at("project/.git/hooks/pre-commit"), 0o644);
  Deno.removeSync(world.at("project/.vscode"), { recursive: true });
  world.link("project/.vscode", "/etc");
  await world.end();
  const { reverted, quarantine } = await revertChanges(world.place);
  assert.equal(reverted.length, 6);
  const hook = world.at("project/.git/hooks/pre-commit");
  assert.equal(Deno.readTextFileSync(hook), "#!/bin/sh\n");
  assert.equal(Deno.statSync(hook).mode! & 0o777, 0o755);
  assert.equal(
    Deno.readTextFileSync(world.at("project/.vscode/tasks.json")),
    "{}",
  );
  assert.ok(Deno.lstatSync(world.at("project/.vscode")).isDirectory);
  assert.throws(() => Deno.lstatSync(world.at("project/.claude")));
  const kept = [...Deno.readDirSync(quarantine!)].map(({ name }) =>
    Deno.readTextFileSync(`${quarantine}/${name}`)
  );
  for (const text of ["evil", "evil too", "evil as well", "-> /etc\n"]) {
    assert.ok(kept.includes(text), text);
  }
  assert.deepEqual(await world.begin(), []);
});

Deno.test("revertChanges() writes nowhere else when a directory on the way is a link now", async () => {
  using world = new Protected();
  world.file("project/sub/.claude/settings.json", "{}");
  const where = { cwd: "project/sub", root: "project" };
  const paths = world.policy(where).protected;
  await world.begin(undefined, paths);
  world.dir("elsewhere/.claude");
  Deno.renameSync(world.at("project/sub"), world.at("project/moved"));
  world.link("project/sub", world.at("elsewhere"));
  await world.end();
  await assert.rejects(
    () => revertChanges(world.place),
    (error: { code?: string }) => error.code === "CONTENT_INVALID",
  );
  assert.deepEqual([...Deno.readDirSync(world.at("elsewhere/.claude"))], []);
});

Deno.test("revertChanges() touches nothing while an agent runs there", async () => {
  using world = new Protected();
  await world.begin();
  world.file("project/.envrc", "evil");
  await assert.rejects(
    () => revertChanges(world.place),
    (error: { code?: string }) => error.code === "ENV_BUSY",
  );
  assert.equal(Deno.readTextFileSync(world.at("project/.envrc")), "evil");
});

Deno.test("a pipe or a directory that cannot be listed is a change, and does not block", async () => {
  using world = new Protected();
  await world.begin();
  new Deno.Command("mkfifo", { args: [world.at("project/.envrc")] })
    .outputSync();
  Deno.removeSync(world.at("project/.git/config"));
  new Deno.Command("mkfifo", { args: [world.at("project/.git/config")] })
    .outputSync();
  assert.deepEqual(await world.end(), ["created .envrc", "kind .git/config"]);
  await revertChanges(world.place);
  assert.equal(
    Deno.readTextFileSync(world.at("project/.git/config")),
    "config",
  );
  assert.throws(() => Deno.lstatSync(world.at("project/.envrc")));
});

Deno.test("a damaged record stops the launch", async () => {
  using world = new Protected();
  await world.begin();
  const name = [...Deno.readDirSync(world.place.dir)]
    .find(({ name }) => name.endsWith(".json"))!.name;
  for (const text of ["", "{}", '{"version":1']) {
    Deno.writeTextFileSync(`${world.place.dir}/${name}`, text);
    await assert.rejects(
      () => world.begin(),
      (error: { exitCode?: number }) => error.exitCode === 3,
    );
  }
});

Deno.test("contents of protected files are kept for their owner alone", async () => {
  using world = new Protected();
  Deno.chmodSync(world.at("project/.git/config"), 0o666);
  await world.begin();
  const blobs = `${world.place.dir}/blobs` as AbsPath;
  const modes = [...Deno.readDirSync(blobs)].map(({ name }) =>
    Deno.statSync(`${blobs}/${name}`).mode! & 0o777
  );
  assert.ok(modes.length >= 3);
  assert.deepEqual([...new Set(modes)], [0o600]);
  assert.equal(Deno.statSync(blobs).mode! & 0o777, 0o700);
});

Deno.test("what a session makes deeper in the project is found: repositories with hooks, task files", async () => {
  using world = new Protected();
  world.file("project/old/.git/config", "old");
  world.file("project/old/.vscode/tasks.json", "old");
  await world.begin();
  world.file("project/old/.git/index", "a commit");
  world.file("project/a/b/.git/config", "[core] fsmonitor = evil");
  world.file("project/a/b/.git/hooks/pre-commit", "evil");
  world.file("project/a/b/.git/hooks/x.sample", "harmless");
  world.file("project/a/.vscode/tasks.json", "evil");
  world.file("project/a/node_modules/x/.vscode/tasks.json", "installed");
  assert.deepEqual(await world.end(), [
    "nested a/.vscode/tasks.json",
    "nested a/b/.git/config",
    "nested a/b/.git/hooks/pre-commit",
  ]);
  const { reverted, left } = await revertChanges(world.place);
  assert.deepEqual([reverted.length, left.length], [0, 3]);
  await acceptChanges(world.place);
  assert.deepEqual(await world.begin(), []);
});

Deno.test("a repository without a worktree, and one that borrows its configuration, is found when it runs something", async () => {
  using world = new Protected();
  await world.begin();
  world.git("project", "init", "-q", "--bare", "docs/plain");
  world.git("project", "init", "-q", "--bare", "docs/evil");
  world.git("project/docs/evil", "config", "core.fsmonitor", "evil");
  world.git("project", "init", "-q", "lib");
  world.file("project/lib/.git/commondir", "../../.claude/x");
  world.file("project/a/.claude/config", "");
  assert.deepEqual(await world.end(), [
    "nested a/.claude/config",
    "nested docs/evil/config",
    "nested lib/.git/commondir",
  ]);
});

Deno.test("a repository that a session makes of the project itself is found when it runs something", async () => {
  for (const isHarmless of [true, false]) {
    using world = new Protected();
    Deno.removeSync(world.at("project/.git"), { recursive: true });
    await world.begin();
    world.git("project", "init", "-q");
    if (!isHarmless) world.git("project", "config", "alias.x", "!evil");
    assert.deepEqual(
      await world.end(),
      isHarmless ? [] : ["nested .git/config"],
    );
  }
});
