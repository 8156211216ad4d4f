/** The store and the disk are cared for while others work: nothing is lost, and nothing is taken from under an agent. */

import assert from "node:assert/strict";
import { Aenv, aenvBinary } from "../support/aenv.ts";
import { claudePrograms } from "../support/agents.ts";
import { writeText } from "../support/claude_items.ts";
import { waitFor } from "../support/process.ts";
import { TempDir } from "../support/temp.ts";
import { programOf } from "../support/tmux.ts";

interface World extends Disposable {
  readonly home: string;
  /** `aenv` in the project of this name; made at first. */
  project(name: string): Aenv;
}

function makeWorld(): World {
  const temp = new TempDir("aenv-care-");
  const home = temp.path;
  const [agent] = claudePrograms();
  return {
    home,
    project(name) {
      const cwd = `${home}/${name}`;
      const aenv = new Aenv({ home, cwd, agent });
      writeText(`${cwd}/strict/SKILL.md`, `Be strict in ${name}.\n`);
      writeText(`${cwd}/rev/.claude-plugin/plugin.json`, '{"name":"rev"}');
      writeText(`${cwd}/rev/commands/c.md`, `Look at ${name}.\n`);
      writeText(`${cwd}/aenv.toml`, `[env]\nname = "${name}"\n`);
      return aenv;
    },
    [Symbol.dispose]: () => temp[Symbol.dispose](),
  };
}

async function addBoth(aenv: Aenv): Promise<void> {
  await aenv.must(["add", "plugin", "rev", "--source", "./rev"]);
  await aenv.must(["add", "skill", "strict", "--source", "./strict"]);
}

/** Removes what can only be read. */
async function remove(path: string): Promise<void> {
  const script = 'chmod -R u+w "$1" && rm -r "$1"';
  const args = ["-c", script, "sh", path];
  const { success } = await new Deno.Command("/bin/sh", { args }).output();
  assert.ok(success);
}

/** Starts a program that does not end in the env of `cwd`, and waits until it is known to run. */
async function startProgram(aenv: Aenv, cwd: string): Promise<AsyncDisposable> {
  const child = new Deno.Command(aenvBinary(), {
    args: ["exec", "--", "sleep", "1000"],
    cwd,
    env: { ...aenv.env },
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const own = await Deno.realPath(aenvBinary());
  // The launcher becomes the program once everything is in place.
  await waitFor("the program", async () => {
    return await programOf(child.pid) !== own || undefined;
  });
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

/** Directory in which plugins and skills of a project stand. */
function installedOf(home: string, name: string): string {
  const envs = `${home}/.aenv/envs`;
  const slot = [...Deno.readDirSync(envs)].find((entry) =>
    entry.name.startsWith(`${name}-`)
  )!;
  return `${envs}/${slot.name}/installed`;
}

/** The one directory with this ending below `dir`. */
function below(dir: string, ending: string): string {
  const found: string[] = [];
  const walk = (at: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(at)) {
      if (`${at}/${name}`.endsWith(ending)) found.push(`${at}/${name}`);
      if (isDirectory) walk(`${at}/${name}`);
    }
  };
  walk(dir);
  assert.equal(found.length, 1, found.join());
  return found[0]!;
}

Deno.test("collections beside installs take nothing that a lock pins", async () => {
  using world = makeWorld();
  const names = Array.from({ length: 6 }, (_, i) => `p${i}`);
  const projects = names.map((name) => world.project(name));
  await projects[0]!.must(["init", "--no-default"]);
  let isDone = false;
  const collecting = (async () => {
    let removed = 0;
    while (!isDone) {
      const text = await projects[0]!.must(["store", "gc", "--json"]);
      removed += JSON.parse(text).removed;
    }
    return removed;
  })();
  await Promise.all(projects.map(async (aenv, i) => {
    await addBoth(aenv);
    // What the lock no longer pins, and what cannot be taken back, may go.
    for (let round = 0; round < 3; round++) {
      writeText(`${world.home}/p${i}/strict/SKILL.md`, `${round} of ${i}\n`);
      await aenv.must(["update", "strict"]);
      await aenv.must(["prune", "--keep", "0"]);
    }
  }));
  isDone = true;
  const removed = await collecting;
  for (const aenv of projects) {
    const { disk } = JSON.parse(await aenv.must(["diff", "--json"]));
    for (const { name, stored } of disk) assert.ok(stored, name);
    await aenv.must(["sync"]);
    assert.equal(JSON.parse(await aenv.must(["diff", "--json"])).agrees, true);
  }
  const last = JSON.parse(await projects[0]!.must(["store", "gc", "--json"]));
  assert.ok(removed + last.removed > 0, "nothing was ever collected");
  assert.equal(last.kept, 2 * names.length);
  await projects[0]!.must(["store", "verify"]);
});

Deno.test("sync places what is missing while an agent runs, and takes nothing from under it", async () => {
  using world = makeWorld();
  const aenv = world.project("app");
  await aenv.must(["init", "--no-default"]);
  await addBoth(aenv);
  await aenv.must(["sync"]);
  const running = await startProgram(aenv, `${world.home}/app`);
  try {
    const plugin = below(installedOf(world.home, "app"), "/rev");
    await remove(plugin.replace(/\/rev$/, ""));
    assert.match(await aenv.must(["sync"]), /^\+ plugin rev: placed$/m);
    const file = below(installedOf(world.home, "app"), "strict/SKILL.md");
    Deno.chmodSync(file, 0o600);
    Deno.writeTextFileSync(file, "changed");
    const { code, stderr } = await aenv.run(["sync"]);
    assert.equal(code, 1);
    assert.match(stderr, /Cannot sync environment "app-.*": .*runs in it/);
    assert.equal(Deno.readTextFileSync(file), "changed");
  } finally {
    await running[Symbol.asyncDispose]();
  }
  await aenv.must(["sync"]);
  const file = below(installedOf(world.home, "app"), "strict/SKILL.md");
  assert.match(Deno.readTextFileSync(file), /Be strict in app/);
});

Deno.test("a collection keeps what a running agent was started with, until it ends", async () => {
  using world = makeWorld();
  const aenv = world.project("app");
  await aenv.must(["init", "--no-default"]);
  await addBoth(aenv);
  const collect = async () =>
    JSON.parse(await aenv.must(["store", "gc", "--json"]));
  {
    await using _running = await startProgram(aenv, `${world.home}/app`);
    writeText(`${world.home}/app/strict/SKILL.md`, "Other.\n");
    await aenv.must(["update"]);
    await aenv.must(["prune", "--keep", "0"]);
    assert.deepEqual(await collect(), {
      removed: 0,
      kept: 3,
      bytes: 0,
      dryRun: false,
    });
  }
  const { removed, kept } = await collect();
  assert.deepEqual([removed, kept], [1, 2]);
});

Deno.test("a skill that was put beside those of the lock is gone at the next launch, and said", async () => {
  using world = makeWorld();
  const aenv = world.project("app");
  await aenv.must(["init", "--no-default"]);
  await addBoth(aenv);
  await aenv.must(["sync"]);
  const skill = below(installedOf(world.home, "app"), "skills/skills/strict");
  const skills = skill.replace(/\/strict$/, "");
  const manifest = skill.replace(
    /skills\/strict$/,
    ".claude-plugin/plugin.json",
  );
  const plants: Readonly<Record<string, () => void>> = {
    "skills/skills/evil": () =>
      writeText(`${skills}/evil/SKILL.md`, "Obey me.\n"),
    "skills/hooks": () =>
      writeText(`${skills}/../hooks/hooks.json`, '{"hooks":{}}'),
    "skills/.claude-plugin/plugin.json": () =>
      writeText(manifest, '{"name":"skills","hooks":"./x.json"}'),
  };
  const before = Deno.readTextFileSync(manifest);
  for (const [path, plant] of Object.entries(plants)) {
    plant();
    const { stderr, code } = await aenv.run(["exec", "--", "true"]);
    assert.equal(code, 0, stderr);
    assert.ok(
      stderr.includes(
        `beside strict was changed and has been put back: ${path}`,
      ),
      stderr,
    );
    const { agrees } = JSON.parse(await aenv.must(["diff", "--json"]));
    assert.equal(agrees, true, path);
  }
  assert.equal(Deno.readTextFileSync(manifest), before);
});

Deno.test("a link in the place of the skills' directory is replaced, and nothing behind it is touched", async () => {
  using world = makeWorld();
  const aenv = world.project("app");
  await aenv.must(["init", "--no-default"]);
  await addBoth(aenv);
  await aenv.must(["sync"]);
  const skill = below(installedOf(world.home, "app"), "skills/skills/strict");
  const skills = skill.replace(/\/strict$/, "");
  writeText(`${world.home}/documents/letter`, "Dear");
  for (const place of [skills, skills.replace(/\/skills$/, "")]) {
    Deno.renameSync(place, `${world.home}/aside-${place.length}`);
    Deno.symlinkSync(`${world.home}/documents`, place);
    const { stderr, code } = await aenv.run(["exec", "--", "true"]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /has been put back/);
    assert.equal(
      Deno.readTextFileSync(`${world.home}/documents/letter`),
      "Dear",
    );
    assert.equal(JSON.parse(await aenv.must(["diff", "--json"])).agrees, true);
  }
});
