/** A cold install asks several servers at once, and looks as if it had asked one after the other. */

import assert from "node:assert/strict";
import { Aenv, aenvBinary } from "../support/aenv.ts";
import { claudePrograms } from "../support/agents.ts";
import { writeText } from "../support/claude_items.ts";
import { waitFor } from "../support/process.ts";
import { snapshot } from "../support/snapshot.ts";
import type { GitRepository } from "../support/sources/git_repository.ts";
import { WebServer } from "../support/sources/web_server.ts";
import { zipOf } from "../support/sources/zip_bytes.ts";
import { TempDir } from "../support/temp.ts";
import { Servers, skill } from "./registry_world.ts";

const COUNT = 20;
const NAMES = Array.from({ length: COUNT }, (_, i) => `s${i + 10}`);

interface World extends AsyncDisposable {
  readonly home: string;
  readonly web: WebServer;
  /** The project has a skill from an archive of each name. */
  readonly aenv: Aenv;
}

async function makeWorld(): Promise<World> {
  const temp = new TempDir("aenv-at-once-");
  const home = `${temp.path}/home`;
  Deno.mkdirSync(`${temp.path}/web`);
  const web = await WebServer.start(`${temp.path}/web`);
  for (const name of NAMES) {
    const content = new TextEncoder().encode(skill(name)["SKILL.md"]!);
    web.serve(`/${name}.zip`, zipOf([{ name: "SKILL.md", content }]));
  }
  const cwd = `${home}/project`;
  const [agent] = claudePrograms();
  const aenv = new Aenv({ home, cwd, agent, env: web.env });
  writeText(`${cwd}/aenv.toml`, manifestOf(web, NAMES));
  return {
    home,
    web,
    aenv,
    async [Symbol.asyncDispose]() {
      await web[Symbol.asyncDispose]();
      temp[Symbol.dispose]();
    },
  };
}

function manifestOf(web: WebServer, names: readonly string[]): string {
  const skills = names.map((name) =>
    `\n[[skills.enabled]]\nname = "${name}"\nsource = "${web.url}/${name}.zip"\n`
  );
  return `[env]\nname = "app"\n${skills.join("")}`;
}

Deno.test("install fetches six things at once, each one once, and reports them in the order of the manifest", async () => {
  await using world = await makeWorld();
  const { web, aenv } = world;
  const answers = new Map(web.answers);
  const six = Promise.withResolvers<void>();
  let [now, most] = [0, 0];
  for (const [path, answer] of answers) {
    web.answers.set(path, async (request) => {
      most = Math.max(most, ++now);
      if (now === 6) six.resolve();
      await six.promise;
      now--;
      return await answer(request);
    });
  }
  const { items } = JSON.parse(await aenv.must(["install", "--json"]));
  assert.deepEqual(items.map((item: { name: string }) => item.name), NAMES);
  assert.equal(most, 6);
  const wanted = NAMES.map((name) => `GET /${name}.zip`);
  assert.deepEqual(web.requests.toSorted(), wanted);
  const lock = Deno.readTextFileSync(`${world.home}/project/aenv.lock`);
  await aenv.must(["install", "--frozen"]);
  await aenv.must(["lock", "--check"]);
  // The same from an empty home.
  Deno.renameSync(aenv.root, `${world.home}/before`);
  await aenv.must(["sync"]);
  const after = Deno.readTextFileSync(`${world.home}/project/aenv.lock`);
  assert.equal(after, lock);
  await aenv.must(["store", "verify"]);
});

Deno.test("of several things that cannot be fetched the first of the manifest is named, and nothing has changed", async () => {
  await using world = await makeWorld();
  const { web, aenv, home } = world;
  const slow = web.answers.get("/s10.zip")!;
  const failed = Promise.withResolvers<void>();
  web.answers.set("/s13.zip", () => {
    failed.resolve();
    return new Response("gone", { status: 404 });
  });
  web.answers.set("/s10.zip", async (request) => {
    await failed.promise;
    return await slow(request);
  });
  web.answers.set("/s11.zip", async () => {
    await failed.promise;
    return new Response("gone", { status: 404 });
  });
  const before = snapshot(`${home}/project`);
  const { code, stdout, stderr } = await aenv.run(["install"]);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /s11\.zip/);
  assert.doesNotMatch(stderr, /s13\.zip/);
  assert.deepEqual(snapshot(`${home}/project`), before);
  await aenv.must(["store", "verify"]);
  const left = [...Deno.readDirSync(`${aenv.root}/store/tmp`)];
  assert.deepEqual(left, []);
});

Deno.test("SIGINT while six things are fetched stops all of them with exit code 130, and nothing has changed", async () => {
  await using world = await makeWorld();
  const { web, aenv, home } = world;
  const end = Promise.withResolvers<void>();
  for (const path of [...web.answers.keys()]) {
    web.answers.set(path, async () => {
      await end.promise;
      return new Response("late");
    });
  }
  const before = snapshot(`${home}/project`);
  const child = new Deno.Command(aenvBinary(), {
    args: ["install"],
    cwd: `${home}/project`,
    clearEnv: true,
    env: { ...aenv.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await waitFor("six requests", () => web.requests.length === 6 || undefined);
  child.kill("SIGINT");
  const { code, stdout, stderr } = await child.output();
  end.resolve();
  const [out, errors] = [stdout, stderr].map((it) =>
    new TextDecoder().decode(it)
  );
  assert.deepEqual([code, out], [130, ""]);
  assert.match(errors!, /^aenv: Cannot finish "aenv install": .*interrupted/);
  assert.equal(web.requests.length, 6);
  assert.deepEqual(snapshot(`${home}/project`), before);
  assert.deepEqual([...Deno.readDirSync(`${aenv.root}/store/tmp`)], []);
});

Deno.test("many directories of one repository are fetched at once without getting into each other's way", async () => {
  await using servers = await Servers.start();
  using temp = new TempDir("aenv-at-once-");
  const repository: GitRepository = await servers.repository("many.git");
  const files = NAMES.map((
    name,
  ) => [`${name}/SKILL.md`, skill(name)["SKILL.md"]!]);
  await repository.commit(Object.fromEntries(files));
  const cwd = `${temp.path}/project`;
  const [agent] = claudePrograms();
  const aenv = new Aenv({ home: temp.path, cwd, agent, env: servers.web.env });
  const skills = NAMES.map((name) =>
    `\n[[skills.enabled]]\nname = "${name}"\nsubpath = "${name}"\n` +
    `source = "git+${servers.web.url}/git/many.git"\n`
  );
  writeText(`${cwd}/aenv.toml`, `[env]\nname = "app"\n${skills.join("")}`);
  const { items } = JSON.parse(await aenv.must(["install", "--json"]));
  assert.deepEqual(items.map((item: { name: string }) => item.name), NAMES);
  const trees = items.map((item: { tree: string }) => item.tree);
  assert.equal(new Set(trees).size, COUNT);
  const asked = servers.web.requests.filter((line) =>
    line.startsWith("GET /git/many.git/info/refs")
  );
  // For the names, for the commit, and for the contents of each directory.
  assert.equal(asked.length, 2 + COUNT);
  await aenv.must(["store", "verify"]);
});
