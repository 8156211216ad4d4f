/** What goes wrong beside an install does not spoil it, and an install spoils nothing beside it. */

import assert from "node:assert/strict";
import { writeText } from "../support/claude_items.ts";
import { run } from "../support/process.ts";
import { GitRepository } from "../support/sources/git_repository.ts";
import { WebServer } from "../support/sources/web_server.ts";
import { runUnprivileged } from "../support/unprivileged.ts";
import { aenvBinary } from "../support/aenv.ts";
import { KillWorld } from "./kill_world.ts";

function writeSkill(dir: string, text: string): void {
  const matter = "---\nname: x\ndescription: d\n---\n";
  writeText(`${dir}/SKILL.md`, `${matter}${text}\n`);
}

function writePlugin(dir: string, name: string, text = "hello"): void {
  writeText(`${dir}/.claude-plugin/plugin.json`, JSON.stringify({ name }));
  writeText(`${dir}/commands/hello.md`, text);
}

/** A project env `app` with a plugin `rev` and a skill `strict`, and a skill `more` to add. */
async function makeWorld(): Promise<KillWorld> {
  const world = new KillWorld();
  writePlugin(`${world.project}/rev`, "rev");
  for (const name of ["strict", "more"]) {
    writeSkill(`${world.project}/${name}`, name);
  }
  await world.must(["init", "--no-default"]);
  await world.must(["init", "--here", "app"]);
  await world.must(["add", "plugin", "rev", "--source", "./rev"]);
  await world.must(["add", "skill", "strict", "--source", "./strict"]);
  return world;
}

function read(path: string): string {
  return Deno.readTextFileSync(path);
}

/** The files of this name where an env has its plugins and skills. */
function placed(world: KillWorld, env: RegExp, name: string): string[] {
  const found: string[] = [];
  function walk(dir: string): void {
    for (const entry of Deno.readDirSync(dir)) {
      const path = `${dir}/${entry.name}`;
      if (entry.isDirectory) walk(path);
      else if (path.endsWith(`/${name}`)) found.push(path);
    }
  }
  const envs = `${world.home}/.aenv/envs`;
  for (const { name: slot } of Deno.readDirSync(envs)) {
    if (env.test(slot)) walk(`${envs}/${slot}/installed`);
  }
  return found;
}

for (const isConfined of [false, true]) {
  const option = isConfined ? [] : ["--no-sandbox"];
  const kind = isConfined ? "confined" : "unconfined";
  // Confined environments may share files: no agent can write to them.
  const name = isConfined ? "what another one starts" : "another one";
  Deno.test(`a plugin that is edited in one ${kind} environment does not change the store, nor ${name}`, async () => {
    using world = await makeWorld();
    const source = ["--source", `${world.project}/rev`];
    const make = async (env: string) => {
      await world.must(["new", env, ...option]);
      await world.must(["add", "plugin", "rev", ...source, "-E", env]);
      await world.must(["sync", "-E", env]);
    };
    const hello = (env: string) =>
      placed(world, new RegExp(`^${env}$`), "commands/hello.md")[0]!;
    await make("one");
    await make("other");
    Deno.chmodSync(hello("one"), 0o600);
    Deno.writeTextFileSync(hello("one"), "EVIL");
    if (isConfined) await world.must(["sync", "-E", "other"]);
    assert.equal(read(hello("other")), "hello");
    await world.must(["store", "verify"]);
    await make("third");
    assert.equal(read(hello("third")), "hello");
    await world.must(["sync", "-E", "one"]);
    assert.equal(read(hello("one")), "hello");
  });
}

Deno.test("a plugin that is gone, here and at its source, keeps nothing else from being added or removed", async () => {
  using world = await makeWorld();
  for (const name of ["rev", "strict"]) {
    Deno.removeSync(`${world.project}/${name}`, { recursive: true });
  }
  await world.remove("store");
  const { lock } = files(world);
  await world.must(["add", "skill", "more", "--source", "./more"]);
  await world.must(["add", "mcp", "docs", "--", "docs-server"]);
  await world.must(["lock", "--check"]);
  // What was pinned stays pinned.
  for (const line of lock.split("\n")) {
    assert.ok(files(world).lock.includes(line), line);
  }
  await world.must(["rm", "plugin", "rev"]);
  await world.must(["rm", "mcp", "docs"]);
  const { code, stderr } = await world.run(["install"]);
  assert.equal(code, 1);
  assert.match(stderr, /strict/);
  await world.must(["rm", "skill", "strict"]);
  await world.must(["install", "--frozen"]);
});

function files(world: KillWorld): { manifest: string; lock: string } {
  const { project } = world;
  return {
    manifest: read(`${project}/aenv.toml`),
    lock: read(`${project}/aenv.lock`),
  };
}

Deno.test("a file of a source that cannot be read is an error, not left out", async () => {
  using world = await makeWorld();
  Deno.chmodSync(`${world.project}/rev/commands/hello.md`, 0);
  const script = `
    const { code, stderr } = new Deno.Command(Deno.args[0], {
      args: ["update", "rev"], clearEnv: true, cwd: Deno.args[1] + "/w",
      env: { HOME: Deno.args[1], PATH: "/usr/bin:/bin" },
    }).outputSync();
    console.log(code, new TextDecoder().decode(stderr));`;
  // The program must be where that user may run it.
  Deno.chmodSync(`${world.home}/..`, 0o755);
  const program = `${world.home}/aenv`;
  Deno.copyFileSync(aenvBinary(), program);
  Deno.chmodSync(program, 0o755);
  const before = files(world);
  const said = await runUnprivileged(script, world.home, [program, world.home]);
  assert.match(said, /^1 .*hello\.md.*permission denied/s);
  assert.deepEqual(files(world), before);
});

Deno.test("nobody waits for a server that another process is asking", async () => {
  using world = await makeWorld();
  await using server = await WebServer.start(`${world.home}/server`);
  const asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<Response>();
  server.answers.set("/slow.tar.gz", () => {
    asked.resolve();
    return answered.promise;
  });
  const env = { HOME: world.home, PATH: "/usr/bin:/bin", ...server.env };
  const source = ["--source", `${server.url}/slow.tar.gz`];
  const slow = run(aenvBinary(), ["add", "skill", "slow", ...source], {
    env,
    cwd: world.project,
  });
  await asked.promise;
  await world.must(["new", "other"]);
  await world.must(["add", "skill", "more", "--source", "./more"]);
  await world.must(["rollback"]);
  await world.must(["store", "gc"]);
  answered.resolve(new Response("nothing", { status: 404 }));
  const { code, stderr } = await slow;
  assert.equal(code, 1);
  assert.match(stderr, /slow\.tar\.gz/);
});

Deno.test("marketplaces of different owners whose repositories have one name are two marketplaces", async () => {
  using world = await makeWorld();
  const sources: string[] = [];
  for (const owner of ["acme", "umbrella"]) {
    const path = `${world.home}/${owner}/plugins.git`;
    const market = await GitRepository.create(path);
    const plugins = [{ name: "tool", source: "./tool" }];
    await market.commit({
      ".claude-plugin/marketplace.json": JSON.stringify({
        name: "plugins",
        owner: { name: owner },
        plugins: [...plugins, { name: `of-${owner}`, source: "./own" }],
      }),
      "tool/.claude-plugin/plugin.json": '{"name":"tool"}',
      "tool/commands/who.md": owner,
      "own/.claude-plugin/plugin.json": `{"name":"of-${owner}"}`,
    });
    sources.push(`git+file://${path}`);
  }
  await world.must(["add", "plugin", `of-acme@${sources[0]}`]);
  await world.must(["add", "plugin", `of-umbrella@${sources[1]}`]);
  await world.must(["add", "plugin", `tool@${sources[1]}`]);
  await world.must(["sync"]);
  const who = placed(world, /^app-/, "commands/who.md").map(read);
  assert.deepEqual(who, ["umbrella"]);
});

Deno.test("a manifest and a lock keep their modes, and a manifest that is a link stays one", async () => {
  using world = await makeWorld();
  const { project } = world;
  Deno.mkdirSync(`${project}/conf`);
  Deno.renameSync(`${project}/aenv.toml`, `${project}/conf/app.toml`);
  Deno.symlinkSync("conf/app.toml", `${project}/aenv.toml`);
  Deno.chmodSync(`${project}/conf/app.toml`, 0o640);
  Deno.chmodSync(`${project}/aenv.lock`, 0o600);
  await world.must(["add", "skill", "more", "--source", "./more"]);
  await world.must(["rollback"]);
  await world.must(["add", "skill", "more", "--source", "./more"]);
  assert.equal(Deno.readLinkSync(`${project}/aenv.toml`), "conf/app.toml");
  const mode = (name: string) =>
    (Deno.statSync(`${project}/${name}`).mode! & 0o777).toString(8);
  assert.deepEqual(["conf/app.toml", "aenv.lock"].map(mode), ["640", "600"]);
  assert.match(read(`${project}/conf/app.toml`), /more/);
});

Deno.test("a plugin whose source is another one now is that one, whatever was there", async () => {
  using world = await makeWorld();
  await world.must(["sync"]);
  writePlugin(`${world.project}/new`, "rev", "new");
  const path = `${world.project}/aenv.toml`;
  Deno.writeTextFileSync(path, read(path).replace('"./rev"', '"./new"'));
  await world.must(["install"]);
  await world.must(["sync"]);
  const found = placed(world, /^app-/, "commands/hello.md").map(read);
  assert.deepEqual(found, ["new"]);
  const { stdout } = await world.run(["diff"]);
  assert.doesNotMatch(stdout, /rev/);
});

Deno.test("what the user keeps under a plugin's name, in the agent's directory or beside the project, is left alone", async () => {
  using world = await makeWorld();
  await world.must(["sync"]);
  const [slot] = [...Deno.readDirSync(`${world.home}/.aenv/envs`)]
    .map((entry) => entry.name).filter((name) => name.startsWith("app-"));
  const own = [
    `${world.home}/.aenv/envs/${slot}/claude/plugins/rev/mine.md`,
    `${world.home}/.aenv/envs/${slot}/claude/skills/strict/mine.md`,
    `${world.home}/.claude/plugins/rev/mine.md`,
    `${world.project}/.claude/skills/strict/mine.md`,
  ];
  for (const file of own) writeText(file, "mine");
  await world.must(["update"]);
  await world.must(["rm", "plugin", "rev"]);
  await world.must(["rm", "skill", "strict"]);
  await world.must(["sync"]);
  await world.must(["store", "gc"]);
  for (const file of own) assert.equal(read(file), "mine", file);
});
