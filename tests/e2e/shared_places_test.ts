/** Files that environments share on the disk: only where the kernel keeps whatever runs there from writing to them. */

import assert from "node:assert/strict";
import { Aenv } from "../support/aenv.ts";
import { claudePrograms } from "../support/agents.ts";
import { writeText } from "../support/claude_items.ts";
import { TempDir } from "../support/temp.ts";
import { Tmux } from "../support/tmux.ts";

const TEXT = "Look at it.\n";
const CONFINED = "[sandbox]\nenabled = true\n";

interface World extends Disposable {
  readonly home: string;
  /** `aenv` in the project of this name, with the plugin `rev`; its files are the same in all projects. */
  project(name: string, sandbox: string): Promise<Aenv>;
}

function makeWorld(): World {
  const temp = new TempDir("aenv-shared-");
  const home = temp.path;
  const [agent] = claudePrograms();
  return {
    home,
    async project(name, sandbox) {
      const cwd = `${home}/${name}`;
      const aenv = new Aenv({ home, cwd, agent });
      writeText(`${cwd}/rev/.claude-plugin/plugin.json`, '{"name":"rev"}');
      writeText(`${cwd}/rev/commands/c.md`, TEXT);
      writeText(`${cwd}/strict/SKILL.md`, "Be strict.\n");
      writeText(`${cwd}/aenv.toml`, `[env]\nname = "${name}"\n${sandbox}`);
      await aenv.must(["add", "plugin", "rev", "--source", "./rev"]);
      await aenv.must(["add", "skill", "strict", "--source", "./strict"]);
      await aenv.must(["trust", "--yes"]);
      return aenv;
    },
    [Symbol.dispose]: () => temp[Symbol.dispose](),
  };
}

/** Turns the sandbox of a project on or off, and trusts it as it is then. */
async function setSandbox(
  { home }: World,
  [name, aenv]: readonly [string, Aenv],
  enabled: boolean,
): Promise<void> {
  const path = `${home}/${name}/aenv.toml`;
  const text = Deno.readTextFileSync(path);
  const next = text.replace(/enabled = \w+/, `enabled = ${enabled}`);
  assert.notEqual(next, text);
  Deno.writeTextFileSync(path, next);
  await aenv.must(["lock"]);
  await aenv.must(["trust", "--yes"]);
}

/** Where a file of this name stands in the env of a project. */
function placesOf({ home }: World, name: string, file: string): string[] {
  const envs = `${home}/.aenv/envs`;
  const slot = [...Deno.readDirSync(envs)].find((entry) =>
    entry.name.startsWith(`${name}-`)
  )!;
  return filesBelow(`${envs}/${slot.name}/installed`)
    .filter((path) => path.endsWith(`/${file}`));
}

function filesBelow(dir: string): string[] {
  return [...Deno.readDirSync(dir)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(`${dir}/${name}`) : [`${dir}/${name}`]
  );
}

/** Inodes of what the store itself keeps, pools too. */
function inodesOfStore({ home }: World): Set<number | null> {
  const paths = filesBelow(`${home}/.aenv/store`);
  return new Set(paths.map((path) => Deno.lstatSync(path).ino));
}

function inodeOf(path: string): number {
  return Deno.lstatSync(path).ino!;
}

/** Runs a shell script in the agent's place. */
async function inside(aenv: Aenv, script: string) {
  return await aenv.run(["exec", "--", "sh", "-c", script]);
}

/** Whether this file system can clone: then nothing has to be shared. */
async function canClone(dir: string): Promise<boolean> {
  Deno.writeTextFileSync(`${dir}/a`, "a");
  const args = ["--reflink=always", `${dir}/a`, `${dir}/b`];
  return (await new Deno.Command("cp", { args, stderr: "null" }).output())
    .success;
}

Deno.test("two confined environments share the files of a plugin, an unconfined one has its own", async () => {
  // Guards: disk space and time for each environment, and a write that reaches others.
  using world = makeWorld();
  for (
    const [name, lines] of [["one", CONFINED], ["two", CONFINED], ["free", ""]]
  ) {
    await (await world.project(name!, lines!)).must(["exec", "--", "true"]);
  }
  for (const file of ["c.md", "SKILL.md"]) {
    const [one, two, free] = ["one", "two", "free"].map((name) => {
      const paths = placesOf(world, name, file);
      assert.equal(paths.length, 1);
      return inodeOf(paths[0]!);
    });
    assert.equal(inodesOfStore(world).has(free!), false, file);
    assert.notEqual(one, free, file);
    assert.equal(one === two, !await canClone(world.home), file);
  }
});

Deno.test("a confined agent cannot change a placed plugin, and what it tries is not seen by others", async () => {
  // Guards: a hard link through which one agent rewrites what another one believes.
  using world = makeWorld();
  const one = await world.project("one", CONFINED);
  const two = await world.project("two", CONFINED);
  const free = await world.project("free", "");
  for (const aenv of [one, two, free]) await aenv.must(["exec", "--", "true"]);
  const attempts = (path: string) => [
    `echo X > '${path}'`,
    `chmod 0600 '${path}'; echo X >> '${path}'`,
    `chmod 0700 '${path}' '${path}/..' 2>&1; rm -f '${path}'`,
    `mv '${path}' '${path}.old'`,
    `ln '${path}' ./mine && chmod 0600 mine && echo X > mine`,
    `cp rev/commands/c.md ./new && mv -f ./new '${path}'`,
    `truncate -s 0 '${path}'`,
    `python3 -c "import os; os.truncate('${path}', 0)"`,
    `dd if=/dev/zero of='${path}' count=1`,
  ];
  const [path] = placesOf(world, "one", "c.md");
  for (const script of attempts(path!)) {
    const { code } = await inside(one, script);
    assert.notEqual(code, 0, script);
    assert.equal(Deno.readTextFileSync(path!), TEXT, script);
  }
  const [other] = placesOf(world, "two", "c.md");
  assert.equal(Deno.readTextFileSync(other!), TEXT);
  // They could have succeeded: where nothing confines the agent, the file is its own, and is put back.
  const [own] = placesOf(world, "free", "c.md");
  const [, write] = attempts(own!);
  assert.equal((await inside(free, write!)).code, 0);
  assert.equal(Deno.readTextFileSync(own!), TEXT + "X\n");
  for (const at of [path!, other!]) {
    assert.equal(Deno.readTextFileSync(at), TEXT);
  }
  const { stderr } = await inside(free, "true");
  assert.match(stderr, /plugin rev was changed .* commands\/c\.md/);
  assert.equal(Deno.readTextFileSync(own!), TEXT);
});

Deno.test("a confined agent that takes away permissions of a shared file is put right at the next launch", async () => {
  // Guards: the one thing about a file that no path rule of the kernel covers; others must not keep it.
  using world = makeWorld();
  const one = await world.project("one", CONFINED);
  const two = await world.project("two", CONFINED);
  for (const aenv of [one, two]) await aenv.must(["exec", "--", "true"]);
  const [path] = placesOf(world, "one", "c.md");
  await inside(one, `chmod 0 '${path}'; touch -d 2001-01-01 '${path}'`);
  const { code, stderr } = await inside(two, "true");
  assert.equal(code, 0, stderr);
  const [now] = placesOf(world, "two", "c.md");
  assert.equal(Deno.lstatSync(now!).mode! & 0o777, 0o400);
  assert.equal(Deno.readTextFileSync(now!), TEXT);
});

Deno.test("turning the sandbox off or on places plugins and skills anew", async () => {
  // Guards: an agent that nothing confines with the files of one that was.
  using world = makeWorld();
  const one = await world.project("one", CONFINED);
  const two = await world.project("two", CONFINED);
  for (const aenv of [one, two]) await aenv.must(["exec", "--", "true"]);
  const kept = inodeOf(placesOf(world, "two", "c.md")[0]!);
  for (const enabled of [false, true, false]) {
    await setSandbox(world, ["one", one], enabled);
    await one.must(["exec", "--", "true"]);
    const stored = inodesOfStore(world);
    for (const file of ["c.md", "SKILL.md"]) {
      const paths = placesOf(world, "one", file);
      // Of a confined one the former own files may stay; of a free one nothing shared does.
      assert.equal(paths.length, 1, `${file} ${enabled}`);
      const isPool = stored.has(inodeOf(paths[0]!));
      assert.equal(isPool, enabled && !await canClone(world.home), file);
    }
  }
  assert.equal(inodeOf(placesOf(world, "two", "c.md")[0]!), kept);
});

Deno.test("a single run without the sandbox has files of its own, and leaves nothing shared", async () => {
  // Guards: --no-sandbox with the files of the confined runs before it.
  using world = makeWorld();
  const one = await world.project("one", CONFINED);
  await one.must(["init", "--no-default"]);
  await one.must(["new", "e-"]);
  const manifest = `${one.root}/envs/e-/aenv.toml`;
  writeText(manifest, `[env]\nname = "e-"\n${CONFINED}`);
  const source = `${world.home}/one/rev`;
  await one.must(["add", "plugin", "rev", "--source", source, "-E", "e-"]);
  await one.must(["exec", "-E", "e-", "--", "true"]);
  const [shared] = placesOf(world, "e", "c.md");
  const isPool = inodesOfStore(world).has(inodeOf(shared!));
  assert.equal(isPool, !await canClone(world.home));
  const cwd = `${world.home}/one`;
  await using tmux = await Tmux.open({ cwd, env: { ...one.env } });
  await tmux.start("clear; aenv run -E e- --no-sandbox -- --version");
  await tmux.waitForLine(/Start the agent without its sandbox/);
  await tmux.type("y");
  await tmux.keys("Enter");
  assert.equal(await tmux.exitCode(), 0, (await tmux.screen()).join("\n"));
  const [own, ...more] = placesOf(world, "e", "c.md");
  assert.deepEqual(more, []);
  assert.equal(inodesOfStore(world).has(inodeOf(own!)), false);
});

Deno.test("sync and diff know how an environment is placed", async () => {
  // Guards: a sync that puts shared files where the next launch, unconfined, would use them.
  using world = makeWorld();
  const one = await world.project("one", CONFINED);
  await one.must(["sync"]);
  const [shared] = placesOf(world, "one", "c.md");
  const before = inodesOfStore(world);
  assert.equal(before.has(inodeOf(shared!)), !await canClone(world.home));
  await setSandbox(world, ["one", one], false);
  await one.must(["sync"]);
  const [own, ...more] = placesOf(world, "one", "c.md");
  assert.deepEqual(more, []);
  assert.equal(inodesOfStore(world).has(inodeOf(own!)), false);
  const { agrees } = JSON.parse(await one.must(["diff", "--json"]));
  assert.equal(agrees, true);
});
