/** An install with nothing to do remembers that: whatever changes, the next one sees it. */

import assert from "node:assert/strict";
import { Aenv } from "../support/aenv.ts";
import { claudePrograms } from "../support/agents.ts";
import { writeText } from "../support/claude_items.ts";
import { type Finished, waitFor } from "../support/process.ts";
import { TempDir } from "../support/temp.ts";

/** Stands in what is kept, so that it can be told from what is found out. */
const KEPT = "this was kept";

interface Project {
  readonly dir: string;
  readonly name: string;
  readonly aenv: Aenv;
  /** What an install says that looks at everything. */
  readonly said: string;
  /** The file in which that is kept. */
  readonly cache: string;
}

type Check = (project: Project) => Promise<Finished | string>;

const UNCHANGED: Check = ({ aenv }) => aenv.run(["install"]);

/** By the name of the project that it is done to; the result is what an install says then. */
const CHANGES: Readonly<Record<string, Check>> = {
  async "manifest"({ dir, aenv }) {
    const path = `${dir}/aenv.toml`;
    const { mtime, atime } = Deno.statSync(path);
    const text = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(path, text.replace("./rev", "./rew"));
    Deno.utimeSync(path, atime!, mtime!);
    return await aenv.run(["install", "--frozen"]);
  },
  async "lock"({ dir, aenv }) {
    const path = `${dir}/aenv.lock`;
    Deno.renameSync(path, `${dir}/before`);
    const { code } = await aenv.run(["install", "--frozen"]);
    assert.equal(code, 1);
    Deno.copyFileSync(`${dir}/before`, path);
    return await UNCHANGED({ aenv } as Project);
  },
  async "object"({ aenv }) {
    const objects = `${aenv.root}/store/objects`;
    const args = ["-c", 'chmod -R u+w "$1" && rm -r "$1"', "sh", objects];
    assert.ok((await new Deno.Command("/bin/sh", { args }).output()).success);
    const done = await UNCHANGED({ aenv } as Project);
    assert.ok(Deno.statSync(objects).isDirectory);
    return done;
  },
  async "trust"({ aenv }) {
    await aenv.must(["trust", "--yes"]);
    return await UNCHANGED({ aenv } as Project);
  },
  async "register"({ name, aenv }) {
    const slot = slotOf(aenv, name);
    Deno.removeSync(`${slot}/project`);
    const done = await UNCHANGED({ aenv } as Project);
    assert.ok(Deno.statSync(`${slot}/project`).isFile);
    return done;
  },
  async "home"({ aenv }) {
    const env = { ...aenv.env, HOME: "/nowhere" };
    return await aenv.run(["install"], { env });
  },
  async "writable"({ dir, aenv }) {
    Deno.chmodSync(dir, 0o777);
    return await UNCHANGED({ aenv } as Project);
  },
  async "link"({ dir, aenv }) {
    Deno.renameSync(`${dir}/aenv.toml`, `${dir}/other.toml`);
    Deno.symlinkSync("other.toml", `${dir}/aenv.toml`);
    return await UNCHANGED({ aenv } as Project);
  },
  async "damaged"({ cache, aenv, said }) {
    const whole = Deno.readTextFileSync(cache);
    const other = { ...JSON.parse(whole), seals: ["../../x"] };
    const texts = ["", "{", "0", "[]", "{}", JSON.stringify(other)];
    for (const text of [...texts, whole.slice(0, -20)]) {
      Deno.writeTextFileSync(cache, text);
      assert.equal(await aenv.must(["install"]), said, text);
    }
    return said;
  },
};

function slotOf(aenv: Aenv, name: string): string {
  const envs = `${aenv.root}/envs`;
  const slot = [...Deno.readDirSync(envs)].find((entry) =>
    entry.name.startsWith(`${name}-`)
  )!;
  return `${envs}/${slot.name}`;
}

function makeProject(home: string, name: string): Omit<Project, "said"> {
  const dir = `${home}/${name}`;
  const [agent] = claudePrograms();
  const root = `${home}/${name}-home`;
  const aenv = new Aenv({ home: root, cwd: dir, agent });
  writeText(`${dir}/rev/.claude-plugin/plugin.json`, '{"name":"rev"}');
  writeText(`${dir}/rew/.claude-plugin/plugin.json`, '{"name":"rev", "a":1}');
  const entry = '[[plugins.enabled]]\nname = "rev"\nsource = "./rev"\n';
  writeText(`${dir}/aenv.toml`, `[env]\nname = "${name}"\n\n${entry}`);
  return { dir, name, aenv, cache: `${aenv.root}/cache/settled` };
}

/** Installs until that is kept, which takes until nothing of it is new any more. */
async function settle(part: Omit<Project, "said">): Promise<Project> {
  const { aenv, cache } = part;
  await aenv.must(["install"]);
  const said = await aenv.must(["install"]);
  const [kept] = await waitFor("the answer is kept", async () => {
    assert.equal(await aenv.must(["install"]), said);
    try {
      return [...Deno.readDirSync(cache)];
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return undefined;
    }
  });
  assert.equal(await aenv.must(["install", "--frozen"]), said);
  return { ...part, said, cache: `${cache}/${kept!.name}` };
}

function mark({ cache }: Project, said: readonly string[]): void {
  const kept = JSON.parse(Deno.readTextFileSync(cache));
  Deno.writeTextFileSync(cache, JSON.stringify({ ...kept, said }));
}

Deno.test("an install with nothing to do believes what it kept until anything changes", async (t) => {
  // Guards: "up to date" where manifest, lock, store or trust are not.
  using temp = new TempDir("aenv-settled-");
  const parts = Object.keys(CHANGES).map((name) =>
    makeProject(temp.path, name)
  );
  const projects = await Promise.all(parts.map(settle));
  for (const project of projects) {
    await t.step(project.name, async () => {
      mark(project, [KEPT]);
      assert.equal(await project.aenv.must(["install"]), KEPT + "\n");
      const seen = await CHANGES[project.name]!(project);
      const { stdout, stderr, code } = typeof seen === "string"
        ? { stdout: seen, stderr: "", code: 0 }
        : seen;
      assert.ok(!stdout.includes(KEPT), stdout + stderr);
      const expected = {
        manifest: /LOCK|lock/,
        writable: /everybody can write/,
      }[project.name];
      if (expected === undefined) {
        assert.equal(code, 0, stderr);
        assert.match(stdout, /plugin rev {2}/);
      } else {
        assert.equal(code, 1);
        assert.match(stderr, expected);
      }
    });
  }
});

Deno.test("what was kept cannot write to a terminal but plain text", async () => {
  // Guards: escape sequences from a file that something else of this user wrote.
  using temp = new TempDir("aenv-settled-");
  const project = await settle(makeProject(temp.path, "plain"));
  mark(project, ["\u001b[2Jgone", "next"]);
  const said = await project.aenv.must(["install"]);
  assert.equal(said, "\\u001b[2Jgone\nnext\n");
});
