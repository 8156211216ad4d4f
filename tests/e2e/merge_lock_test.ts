/** Two branches that each add something, merged by the real git. */

import assert from "node:assert/strict";
import { writeText } from "../support/claude_items.ts";
import { type Finished, run } from "../support/process.ts";
import { KillWorld } from "./kill_world.ts";

/** A project env in a git repository, with plugins and skills `b`, `f`, `m` and `s`. */
class MergeWorld extends KillWorld {
  static async open(): Promise<MergeWorld> {
    const world = new MergeWorld();
    for (const name of "abcdefghijklmnopqrstuvwxyz") {
      const dir = `${world.project}/from/${name}`;
      const matter = `---\nname: ${name}\ndescription: d\n---\n${name}\n`;
      writeText(`${dir}/skill/SKILL.md`, matter);
      const manifest = JSON.stringify({ name: `p-${name}` });
      writeText(`${dir}/plugin/.claude-plugin/plugin.json`, manifest);
    }
    await world.must(["init", "--no-default"]);
    await world.must(["init", "--here", "app"]);
    for (const name of "bfms") await world.add(name);
    await world.git("init", "-q", "-b", "main");
    await world.commit();
    return world;
  }

  /** Adds the plugin and the skill of that name. */
  async add(name: string): Promise<void> {
    const from = ["--source", `./from/${name}`, "--subpath"];
    await this.must(["add", "plugin", `p-${name}`, ...from, "plugin"]);
    await this.must(["add", "skill", `s-${name}`, ...from, "skill"]);
  }

  async commit(): Promise<void> {
    await this.git("add", "-A");
    await this.git("commit", "-qm", "change");
  }

  /** Makes a branch of main on which these were added. */
  async branch(branch: string, names: string): Promise<void> {
    await this.git("checkout", "-q", "-b", branch, "main");
    for (const name of names) await this.add(name);
    await this.commit();
  }

  /** Runs git; throws unless it succeeds. */
  async git(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.tryGit(...args);
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  }

  async tryGit(...args: readonly string[]): Promise<Finished> {
    const who = ["-c", "user.name=a", "-c", "user.email=a@example.invalid"];
    const env = { PATH: Deno.env.get("PATH")!, HOME: this.home };
    return await run("git", [...who, ...args], { cwd: this.project, env });
  }

  read(name: "aenv.toml" | "aenv.lock"): string {
    return Deno.readTextFileSync(`${this.project}/${name}`);
  }
}

const CONFLICT =
  /^<{7}.*\n([\s\S]*?)^\|{7}.*\n([\s\S]*?)^={7}\n([\s\S]*?)^>{7}.*\n/gm;

/** Settles each conflict by keeping what both sides added; all of them must be two insertions at one place. */
function keepBoth(text: string): { text: string; conflicts: number } {
  let conflicts = 0;
  const kept = text.replace(CONFLICT, (_, ours, base, theirs) => {
    conflicts++;
    assert.equal(base, "", "only insertions are in conflict");
    return ours + theirs;
  });
  return { text: kept, conflicts };
}

/** Merges two branches, keeps both sides of conflicts, and returns how many there were in the manifest and the lock. */
async function merge(
  world: MergeWorld,
): Promise<{ manifest: number; lock: number }> {
  await world.git("checkout", "-q", "one");
  const how = ["-c", "merge.conflictStyle=diff3"];
  const { stdout } = await world.tryGit(...how, "merge", "-q", "two");
  const [manifest, lock] = (["aenv.toml", "aenv.lock"] as const).map((name) => {
    const { text, conflicts } = keepBoth(world.read(name));
    Deno.writeTextFileSync(`${world.project}/${name}`, text);
    assert.equal(stdout.includes(`in ${name}`), conflicts > 0, stdout);
    return conflicts;
  });
  return { manifest: manifest!, lock: lock! };
}

Deno.test("branches that add plugins of different names merge without a conflict in the lock, and the merged lock agrees", async () => {
  using world = await MergeWorld.open();
  await world.branch("one", "ah");
  await world.branch("two", "dp");
  const { lock } = await merge(world);
  assert.equal(lock, 0);
  await world.must(["lock", "--check"]);
  const merged = world.read("aenv.lock");
  await world.must(["install", "--frozen"]);
  await world.must(["lock"]);
  assert.equal(world.read("aenv.lock"), merged);
  for (const name of "abdfhmps") {
    assert.ok(merged.includes(`plugins.p-${name}.tree`));
    assert.ok(merged.includes(`skills.s-${name}.tree`));
  }
});

Deno.test("branches that add plugins beside each other conflict in these lines only, and keeping both is right", async () => {
  using world = await MergeWorld.open();
  await world.branch("one", "c");
  await world.branch("two", "d");
  const { lock } = await merge(world);
  assert.ok(lock <= 2, `${lock} conflicts`);
  await world.must(["lock", "--check"]);
  await world.must(["install", "--frozen"]);
  // Whatever the order and the blank lines that the merge left, this is how it is written.
  await world.must(["lock"]);
  const text = world.read("aenv.lock");
  await world.git("checkout", "-q", "-f", "-b", "three", "main");
  await world.add("c");
  await world.add("d");
  assert.equal(world.read("aenv.lock"), text);
});

Deno.test("a branch that removes and one that updates merge without a conflict in the lock", async () => {
  using world = await MergeWorld.open();
  await world.git("checkout", "-q", "-b", "one", "main");
  await world.must(["rm", "plugin", "p-b"]);
  await world.commit();
  await world.git("checkout", "-q", "-b", "two", "main");
  writeText(`${world.project}/from/s/plugin/commands/x.md`, "x");
  await world.must(["update", "p-s"]);
  await world.commit();
  assert.deepEqual(await merge(world), { manifest: 0, lock: 0 });
  await world.must(["lock", "--check"]);
  await world.must(["install", "--frozen"]);
});
