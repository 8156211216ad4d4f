/** What a lock pins is what an agent gets, or nothing starts. */

import assert from "node:assert/strict";
import { Aenv } from "../support/aenv.ts";
import { claudePrograms } from "../support/agents.ts";
import { writeText } from "../support/claude_items.ts";
import { run } from "../support/process.ts";
import { TempDir } from "../support/temp.ts";

interface World extends Disposable {
  readonly aenv: Aenv;
  readonly home: string;
  /** A project env `app` with a plugin `rev` and a skill `strict`, not installed. */
  readonly project: string;
  git(cwd: string, ...args: readonly string[]): Promise<string>;
}

async function makeWorld(): Promise<World> {
  const temp = new TempDir();
  const home = temp.path;
  const project = `${home}/project`;
  const [agent] = claudePrograms();
  const aenv = new Aenv({ home, cwd: project, agent });
  writeText(`${project}/plug/.claude-plugin/plugin.json`, '{"name":"rev"}');
  writeSkillFile(`${project}/plug/skills/one`, "FIRST");
  writeSkillFile(`${project}/skills/strict`, "STRICT");
  await aenv.must(["init", "--no-default"]);
  await aenv.must(["init", "--here", "app"]);
  const git = async (cwd: string, ...args: readonly string[]) => {
    const env = {
      ...aenv.env,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a@example.com",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a@example.com",
    };
    const { code, stdout, stderr } = await run("/usr/bin/git", args, {
      cwd,
      env,
    });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  return {
    aenv,
    home,
    project,
    git,
    [Symbol.dispose]: () => temp[Symbol.dispose](),
  };
}

function writeSkillFile(directory: string, text: string): void {
  const matter = "---\nname: x\ndescription: d\n---\n";
  writeText(`${directory}/SKILL.md`, `${matter}${text}\n`);
}

async function addBoth({ aenv }: World): Promise<void> {
  await aenv.must(["add", "plugin", "rev", "--source", "./plug"]);
  await aenv.must(["add", "skill", "strict", "--source", "./skills/strict"]);
  await aenv.must(["trust", "--yes"]);
}

function read(path: string): string {
  return Deno.readTextFileSync(path);
}

/** The one file of that name below the places where plugins and skills are put. */
function installedFile(home: string, ending: string): string {
  const found: string[] = [];
  function walk(dir: string): void {
    for (const { name, isDirectory } of Deno.readDirSync(dir)) {
      const path = `${dir}/${name}`;
      if (isDirectory) walk(path);
      else if (path.includes("/installed/") && path.endsWith(ending)) {
        found.push(path);
      }
    }
  }
  walk(`${home}/.aenv/envs`);
  assert.equal(found.length, 1, found.join("\n"));
  return found[0]!;
}

Deno.test("add and install pin plugins and skills, and the agent gets them", async () => {
  using world = await makeWorld();
  await addBoth(world);
  const report = await world.aenv.must(["verify"]);
  assert.match(report, /rev:one/);
  assert.match(report, /skills:strict/);
  await world.aenv.must(["lock", "--check"]);
});

Deno.test("installing twice changes no byte", async () => {
  using world = await makeWorld();
  await addBoth(world);
  await world.git(world.project, "init", "-q");
  await world.git(world.project, "add", "-A");
  await world.git(world.project, "commit", "-qm", "all");
  await world.aenv.must(["install"]);
  await world.aenv.must(["install", "--frozen"]);
  await world.aenv.must(["lock"]);
  assert.equal(await world.git(world.project, "status", "--short"), "");
});

Deno.test("an edited source changes nothing until an update", async () => {
  using world = await makeWorld();
  await addBoth(world);
  const lock = read(`${world.project}/aenv.lock`);
  writeSkillFile(`${world.project}/skills/strict`, "OTHER");
  await world.aenv.must(["install"]);
  assert.equal(read(`${world.project}/aenv.lock`), lock);
  await world.aenv.must(["verify"]);
  assert.doesNotMatch(
    read(installedFile(world.home, "strict/SKILL.md")),
    /OTHER/,
  );
  const update = await world.aenv.must(["update", "strict"]);
  assert.match(update, /changed: files of skill strict\n +- SKILL\.md: file/);
  assert.notEqual(read(`${world.project}/aenv.lock`), lock);
  await world.aenv.must(["verify"]);
  assert.match(
    read(installedFile(world.home, "strict/SKILL.md")),
    /OTHER/,
  );
});

Deno.test("what no longer hashes to the lock is refused with both hashes, and nothing changes", async () => {
  using world = await makeWorld();
  await addBoth(world);
  const lock = read(`${world.project}/aenv.lock`);
  const pinned = /skills\.strict\.tree = "(sha256-[0-9a-f]{64})"/.exec(
    lock,
  )![1]!;
  writeSkillFile(`${world.project}/skills/strict`, "OTHER");
  await world.git(world.project, "init", "-q");
  await run("/bin/chmod", ["-R", "u+w", `${world.aenv.root}/store`], {
    cwd: world.home,
    env: {},
  });
  Deno.removeSync(`${world.aenv.root}/store`, { recursive: true });
  const { code, stderr } = await world.aenv.run(["install"]);
  assert.equal(code, 1);
  assert.ok(stderr.includes(pinned), stderr);
  assert.match(
    stderr,
    /their hash is sha256-[0-9a-f]{64}, expected is sha256-/,
  );
  assert.equal(read(`${world.project}/aenv.lock`), lock);
  const launch = await world.aenv.run(["verify"]);
  assert.equal(launch.code, 3);
  assert.match(launch.stderr, /it is not installed\n.*aenv install/);
});

Deno.test("a lock that lacks something is refused when frozen and at a launch", async () => {
  using world = await makeWorld();
  await addBoth(world);
  const manifest = `${world.project}/aenv.toml`;
  const more =
    '\n[[skills.enabled]]\nname = "more"\nsource = "./skills/strict"\n';
  Deno.writeTextFileSync(manifest, read(manifest) + more);
  const frozen = await world.aenv.run(["install", "--frozen"]);
  assert.equal(frozen.code, 1);
  assert.match(frozen.stderr, /skill more added/);
  const check = await world.aenv.run(["lock", "--check"]);
  assert.equal(check.code, 1);
  assert.match(check.stdout, /skill more added/);
  const launch = await world.aenv.run(["run", "--explain"]);
  assert.equal(launch.code, 3);
  await world.aenv.must(["install"]);
  await world.aenv.must(["trust", "--yes"]);
  await world.aenv.must(["verify"]);
});

Deno.test("a file that was changed, added or removed in the environment is put back at the next launch", async () => {
  using world = await makeWorld();
  await addBoth(world);
  await world.aenv.must(["verify"]);
  const file = installedFile(world.home, "one/SKILL.md");
  const before = read(file);
  const dir = file.slice(0, file.lastIndexOf("/"));
  const times = Deno.statSync(file);
  const tamper: readonly (() => void)[] = [
    () => {
      Deno.chmodSync(file, 0o600);
      Deno.writeTextFileSync(file, before.replace(/.$/m, "X"));
      Deno.utimeSync(file, times.atime!, times.mtime!);
      Deno.chmodSync(file, 0o400);
    },
    () => {
      Deno.chmodSync(dir, 0o700);
      Deno.writeTextFileSync(`${dir}/extra.md`, "EVIL");
    },
    () => {
      Deno.chmodSync(dir, 0o700);
      Deno.removeSync(file);
    },
  ];
  for (const change of tamper) {
    change();
    const { code, stderr } = await world.aenv.run(["verify"]);
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /plugin rev was changed in the environment and has been put back/,
    );
    assert.equal(read(file), before);
    assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), [
      "SKILL.md",
    ]);
  }
});

Deno.test("a git source is pinned to a commit: a moved tag changes nothing, a vanished repository neither", async () => {
  using world = await makeWorld();
  const repository = `${world.home}/plugins`;
  writeText(`${repository}/p/rev/.claude-plugin/plugin.json`, '{"name":"rev"}');
  writeSkillFile(`${repository}/p/rev/skills/one`, "FIRST");
  await world.git(world.home, "init", "-q", "-b", "main", repository);
  await world.git(repository, "add", "-A");
  await world.git(repository, "commit", "-qm", "one");
  await world.git(repository, "tag", "v1");
  const commit = (await world.git(repository, "rev-parse", "HEAD")).trim();
  const source = [
    "--source",
    `git+file://${repository}#v1`,
    "--subpath",
    "p/rev",
  ];
  await world.aenv.must(["add", "plugin", "rev", ...source]);
  assert.ok(read(`${world.project}/aenv.lock`).includes(commit));
  writeSkillFile(`${repository}/p/rev/skills/one`, "SECOND");
  await world.git(repository, "commit", "-qam", "two");
  await world.git(repository, "tag", "-f", "v1");
  await world.aenv.must(["install"]);
  assert.ok(read(`${world.project}/aenv.lock`).includes(commit));
  Deno.renameSync(repository, `${repository}-gone`);
  await world.aenv.must(["install", "--frozen"]);
  const moved = await world.aenv.run(["update", "rev"]);
  assert.equal(moved.code, 1);
  assert.ok(read(`${world.project}/aenv.lock`).includes(commit));
});

Deno.test("a failing add leaves manifest, lock and disk as they were and claims nothing", async () => {
  using world = await makeWorld();
  await addBoth(world);
  const files = ["aenv.toml", "aenv.lock"].map((name) =>
    `${world.project}/${name}`
  );
  const before = files.map(read);
  const bad = [
    ["plugin", "gone", "--source", "./gone"],
    ["plugin", "rev", "--source", "./plug"],
    ["skill", "rev", "--source", "./plug"],
    ["plugin", "x", "--source", "http://example.com/x.tgz"],
    ["plugin", "../x", "--source", "./plug"],
    ["plugin", "noplugin", "--source", "./skills"],
  ];
  for (const words of bad) {
    const { code, stdout, stderr } = await world.aenv.run(["add", ...words]);
    assert.equal(code, 1, words.join(" ") + stderr);
    assert.equal(stdout, "", words.join(" "));
    assert.notEqual(stderr, "");
    assert.deepEqual(files.map(read), before, words.join(" "));
  }
});

Deno.test("rm takes an item out of manifest and lock, and rollback brings it back", async () => {
  using world = await makeWorld();
  await addBoth(world);
  const files = ["aenv.toml", "aenv.lock"].map((name) =>
    `${world.project}/${name}`
  );
  const before = files.map(read);
  await world.aenv.must(["rm", "skill", "strict"]);
  assert.doesNotMatch(files.map(read).join(), /^(name = "strict"|skills\.)/m);
  await world.aenv.must(["rollback"]);
  assert.deepEqual(files.map(read), before);
  await world.aenv.must(["install", "--frozen"]);
});
