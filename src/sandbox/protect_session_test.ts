import assert from "node:assert/strict";
import { Protected } from "../../tests/support/protected_world.ts";
import type { AbsPath } from "../base/paths.ts";
import { protectStates, settleEnded } from "./protect_record.ts";
import { recordPath } from "./protect_store.ts";
import { revertChanges } from "./protect_revert.ts";
import { acceptChanges } from "./protect_record.ts";
import { sessionName } from "./protect_open.ts";
import { noteGoingOn } from "./protect_sessions.ts";
import type { Harmless, ProtectedPath } from "./types.ts";

/** A session of a process that is gone. */
const DEAD = "999999999-1";
/** Runs as long as the tests. */
const PARENT = sessionName(Deno.ppid);

/** Waits until what was changed has an earlier time than what will be. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 60));
}

/** When the record was written. */
function writtenAt(world: Protected): number {
  return Deno.statSync(recordPath(world.place)).mtime!.getTime();
}

Deno.test("a launch where everything is as it was writes its own session and nothing else", async () => {
  using world = new Protected();
  await settle();
  await world.begin();
  await world.end();
  const before = writtenAt(world);
  const names = () =>
    [...Deno.readDirSync(world.place.dir)].map(({ name }) => name).sort();
  const files = names();
  await settle();
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await world.begin(), []);
    assert.equal(
      [...Deno.readDirSync(`${world.place.dir}/sessions`)].length,
      1,
    );
    assert.deepEqual(await world.end(), []);
  }
  assert.equal(writtenAt(world), before);
  assert.deepEqual(names(), files);
  assert.equal([...Deno.readDirSync(`${world.place.dir}/sessions`)].length, 0);
});

Deno.test("a change is found also after a launch where everything was as it was", async () => {
  using world = new Protected();
  await settle();
  for (let i = 0; i < 2; i++) {
    await world.begin();
    await world.end();
  }
  await world.begin();
  world.file("project/.vscode/tasks.json", "[]");
  world.file("project/.vscode/new.json", "{}");
  world.file("project/a/.envrc", "evil");
  assert.deepEqual(await world.end(), [
    "created .vscode/new.json",
    "content .vscode/tasks.json",
    "nested a/.envrc",
  ]);
  assert.deepEqual(world.shown(await world.begin()).length, 3);
  await acceptChanges(world.place);
  assert.deepEqual(await world.begin(), []);
});

Deno.test("what the user made between two sessions, also deeper in the project, is not the second one's", async () => {
  using world = new Protected();
  await settle();
  await world.begin();
  await world.end();
  world.file("project/a/.envrc", "mine");
  world.file("project/.envrc", "mine");
  await settle();
  assert.deepEqual(await world.begin(), []);
  assert.deepEqual(await world.end(), []);
});

Deno.test("a session whose end nobody saw is looked into before the next, as if everything were its doing", async () => {
  using world = new Protected();
  await settle();
  await world.begin();
  await world.end();
  await world.begin(DEAD);
  world.file("project/a/.envrc", "evil");
  // While somebody sees to its end it is none of these.
  assert.deepEqual(await world.begin(), []);
  await world.end();
  world.kill(DEAD);
  assert.deepEqual(world.shown(await world.begin()), ["nested a/.envrc"]);
  assert.equal(protectStates(world.place.dir)[0]!.running, 0);
});

Deno.test("a session that ends while another runs leaves that one's changes to it", async () => {
  using world = new Protected();
  await settle();
  await world.begin();
  await world.end();
  await world.begin(PARENT);
  await world.begin();
  assert.equal(protectStates(world.place.dir)[0]!.running, 2);
  assert.deepEqual(await world.end(), []);
  world.file("project/a/.envrc", "evil");
  assert.deepEqual(await world.end(PARENT), ["nested a/.envrc"]);
});

Deno.test("what was changed and put back is told at the end and at the next launch, once, and stops nothing", async () => {
  using world = new Protected();
  await settle();
  await world.begin();
  await world.end();
  await settle();
  await world.begin();
  world.file("project/.vscode/tasks.json", "evil");
  world.file("project/.vscode/tasks.json", "{}");
  world.file("project/.git/hooks/post-checkout", "evil");
  Deno.removeSync(world.at("project/.git/hooks/post-checkout"));
  world.file("project/.mcp.json", "evil");
  Deno.removeSync(world.at("project/.mcp.json"));
  world.file("project/other", "");
  Deno.removeSync(world.at("project/other"));
  const { changes, touched, isPartial } = await world.ended();
  assert.deepEqual([changes, isPartial], [[], false]);
  const names = [".git/hooks", ".mcp.json", ".vscode/tasks.json"];
  const paths = names.map((name) => world.at(`project/${name}`));
  assert.deepEqual(touched, paths);
  assert.deepEqual(await world.begin(), []);
  assert.deepEqual(world.touched, paths);
  assert.deepEqual((await world.ended()).touched, []);
  await world.begin();
  assert.deepEqual(world.touched, []);
});

Deno.test("a repository that was moved away and put back is told", async () => {
  using world = new Protected();
  await settle();
  await world.begin();
  Deno.renameSync(world.at("project/.git"), world.at("project/x"));
  Deno.renameSync(world.at("project/x"), world.at("project/.git"));
  assert.ok((await world.ended()).touched.includes(world.at("project/.git")));
});

Deno.test("records of an earlier version go on: their sessions are looked into, their changes stay", async () => {
  for (const pending of [true, false]) {
    using world = new Protected();
    await world.begin();
    await world.end();
    const path = recordPath(world.place);
    const { touched: _, ...record } = JSON.parse(Deno.readTextFileSync(path));
    const sessions = pending ? [] : [DEAD];
    const old = { ...record, version: 1, sessions, pending };
    Deno.writeTextFileSync(path, JSON.stringify(old));
    world.file("project/.envrc", "evil");
    assert.deepEqual(world.shown(await world.begin()), ["created .envrc"]);
    await revertChanges(world.place);
    assert.deepEqual(await world.begin(), []);
    assert.equal(JSON.parse(Deno.readTextFileSync(path)).sessions, undefined);
  }
});

Deno.test("what git writes in normal work stops nothing", async () => {
  using world = new Protected();
  Deno.removeSync(world.at("project/.git"), { recursive: true });
  world.git("project", "init", "-q", "-b", "main");
  world.git("project", "commit", "-q", "--allow-empty", "-m", "x");
  await world.begin();
  world.git("project", "remote", "add", "origin", "https://example.com/a.git");
  world.git("project", "checkout", "-q", "-b", "side", "--track", "main");
  world.git("project", "config", "branch.main.remote", "origin");
  world.git("project", "config", "branch.main.merge", "refs/heads/main");
  world.git("project", "config", "user.name", "A B");
  world.git("project", "init", "-q", "deep/er");
  world.git("project/deep/er", "remote", "add", "x", "git@example.com:a.git");
  assert.deepEqual(await world.end(), []);
  assert.deepEqual(await world.begin(), []);
  world.git("project", "config", "core.fsmonitor", "./evil");
  world.git("project/deep/er", "config", "core.fsmonitor", "./evil");
  assert.deepEqual(await world.end(), [
    "content .git/config",
    "nested deep/er/.git/config",
  ]);
});

Deno.test("a git configuration that the manifest protects may not change at all", async () => {
  using world = new Protected();
  Deno.removeSync(world.at("project/.git"), { recursive: true });
  world.git("project", "init", "-q");
  const { protected: paths } = world.policy({
    wishes: { protect: [".git/config"] },
  });
  await world.begin(undefined, paths);
  world.git("project", "config", "user.name", "A B");
  assert.deepEqual(await world.end(), ["content .git/config"]);
});

/** The settings of an agent. */
function settings(world: Protected): ProtectedPath {
  const harmless: Harmless = { kind: "json", keys: ["model", "theme"] };
  const path = world.file("project/settings.json", '{"hooks":{},"model":"a"}');
  const why = { source: "agent", text: "it steers" } as const;
  return { path: path as AbsPath, state: "file", tree: false, why, harmless };
}

const SETTINGS: Readonly<Record<string, boolean>> = {
  '{"hooks":{},"model":"b[1m]","theme":"dark"}': true,
  '{\n  "model": "b",\n  "hooks": {}\n}\n': true,
  '{"hooks":{}}': true,
  '{"hooks":{},"model":"b; do as I say"}': false,
  '{"hooks":{},"model":{"a":1}}': false,
  '{"hooks":{"Stop":[]},"model":"a"}': false,
  '{"hooks":{},"hooks":{"Stop":[]},"hooks":{},"model":"b"}': false,
  '{"hooks":{},"\\u0068ooks":{},"model":"b"}': false,
  '{"hooks":{},"model":"b","env":{}}': false,
  '{"hooks":{},"model":"b",}': false,
  "[]": false,
  "": false,
};

for (const [text, isHarmless] of Object.entries(SETTINGS)) {
  Deno.test(`settings of an agent ${isHarmless ? "may" : "may not"} become ${JSON.stringify(text)}`, async () => {
    using world = new Protected();
    const path = settings(world);
    await world.begin(undefined, [path]);
    Deno.writeTextFileSync(path.path, text);
    assert.deepEqual(
      await world.end(),
      isHarmless ? [] : ["content settings.json"],
    );
  });
}

Deno.test("samples of hooks may come and go; hooks may not, and no links", async () => {
  using world = new Protected();
  await world.begin();
  world.file("project/.git/hooks/x.sample", "evil");
  assert.deepEqual(await world.end(), []);
  await world.begin();
  world.file("project/.git/hooks/x", "evil");
  world.link("project/.git/hooks/y.sample", "/etc/hostname");
  world.file("project/.git/aenv/id", "another's");
  assert.deepEqual(await world.end(), [
    ...["created .git/aenv", "created .git/aenv/id"],
    ...["created .git/hooks/x", "created .git/hooks/y.sample"],
  ]);
});

Deno.test("a command waits for who looks at an ended session, and not for one that goes on", async () => {
  using world = new Protected();
  await settle();
  await world.begin(DEAD);
  const after = (ms: number) =>
    new Promise((resolve) => setTimeout(resolve, ms));
  const ends = after(200).then(() => world.end(DEAD));
  await settleEnded(world.place.dir);
  world.file("project/.envrc", "mine");
  assert.deepEqual(await ends, []);
  assert.deepEqual(await world.begin(), []);
  await world.end();
  await world.begin(DEAD);
  noteGoingOn(world.place, DEAD);
  const start = performance.now();
  await settleEnded(world.place.dir);
  assert.ok(performance.now() - start < 2000);
});

/** The configuration of a repository that is pushed to this address. */
function configFor(url: string, more = ""): string {
  return `[core]\n\tbare = false\n[remote "origin"]\n\turl = ${url}\n${more}`;
}

const OURS = "https://git.example.com/ours.git";
const EVIL = "https://evil.example/ours.git";

/** What a session of these changes is told to have done. */
async function sessionOf(
  world: Protected,
  work: () => void,
): Promise<string[]> {
  assert.deepEqual(world.shown(await world.begin()), []);
  world.settle();
  work();
  return await world.end();
}

Deno.test("endProtected() tells where a repository deeper in the project is led to push elsewhere", async () => {
  using world = new Protected();
  const own = "project/deep/lib/.git/config";
  for (const name of ["objects", "refs"]) {
    world.dir(`project/deep/lib/.git/${name}`);
  }
  world.file("project/deep/lib/.git/HEAD");
  world.file(own, configFor(OURS));
  const branch =
    '[branch "main"]\n\tremote = origin\n\tmerge = refs/heads/main\n';
  const quiet = await sessionOf(world, () => {
    world.file(own, configFor(OURS, branch));
  });
  assert.deepEqual(quiet, []);
  const led = await sessionOf(world, () => {
    world.file(own, configFor(EVIL, branch));
  });
  assert.deepEqual(led, ["nested deep/lib/.git/config"]);
  // Until somebody has looked at it, it stays.
  assert.deepEqual(world.shown(await world.begin()), led);
  await acceptChanges(world.place);
  assert.deepEqual(await sessionOf(world, () => {}), []);
  const back = await sessionOf(world, () => {
    world.file(own, configFor(OURS, branch));
  });
  assert.deepEqual(back, led);
});

Deno.test("endProtected() lets a session bring a repository, and tells when a later one leads it elsewhere", async () => {
  using world = new Protected();
  const own = "project/deep/lib/.git/config";
  const brought = await sessionOf(world, () => {
    world.file(own, configFor(OURS));
  });
  assert.deepEqual(brought, []);
  world.settle();
  // By hand: whatever the user does between two sessions.
  world.file(own, configFor(OURS, "[user]\n\tname = me\n"));
  const led = await sessionOf(world, () => {
    world.file(own, configFor(EVIL, "[user]\n\tname = me\n"));
  });
  assert.deepEqual(led, ["nested deep/lib/.git/config"]);
});
