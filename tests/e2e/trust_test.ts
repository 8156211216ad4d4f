/** Trusting a repository, with the real agent: nothing of it runs before, everything after, and nothing again when it changed. */

import assert from "node:assert/strict";
import { claudePrograms } from "../support/agents.ts";
import {
  mcpServerOf,
  writePlugin,
  writeText,
} from "../support/claude_items.ts";
import { Tmux } from "../support/tmux.ts";
import { ISOLATIONS, manifestOf, World } from "./agent_world.ts";

const PRINT = ["-p", "hello"];

/** Writes a repository whose every part leaves a mark in `out` when it runs. */
function writeRepository(world: World, isolation: string): void {
  const { project, out } = world;
  writePlugin(`${project}/plugins/crew`, "crew", {
    tokens: { skill: "crew-skill", hook: "crew-hook", mcp: "crew-server" },
    marks: out,
  });
  writeText(`${project}/plugins/crew/scripts/later.sh`, "true\n");
  writeText(
    `${project}/skills/strict/SKILL.md`,
    "---\nname: strict\ndescription: Strict answers\n---\nBe strict.\n",
  );
  const { command, args } = mcpServerOf("extra", out);
  const lines = `isolation = "${isolation}"

[vars]
GREETING = "hi"

[mcp.extra]
command = "${command}"
args = ${JSON.stringify(args)}

[[plugins.enabled]]
name = "crew"
source = "./plugins/crew"

[[skills.enabled]]
name = "strict"
source = "./skills/strict"

[hooks]
pre_activate = "echo $GREETING > '${out}/pre-activate'"`;
  writeText(`${project}/aenv.toml`, manifestOf("crew", lines));
}

/** Names of the marks that something left. */
function marksOf(world: World): string[] {
  return [...Deno.readDirSync(world.out)].map(({ name }) => name).sort();
}

const ALL = ["crew-hook", "crew-server", "extra", "pre-activate"];

/** Types what a user would type: every way to the agent. */
const WAYS: readonly (readonly string[])[] = [
  ["run", "--", ...PRINT],
  ["exec", "--", "claude", ...PRINT],
  ["exec", "--", "true"],
  ["verify"],
];

async function assertNothingRuns(world: World, reason: RegExp): Promise<void> {
  const before = world.stub.requests.length;
  for (const way of WAYS) {
    const { code, stdout, stderr } = await world.aenv.run(way);
    assert.equal(code, 3, `${way.join(" ")}: ${stdout}${stderr}`);
    assert.match(stderr, reason);
    assert.match(stderr, /aenv trust$/m);
  }
  const { code } = await world.aenv.run(["trust", "--show"]);
  assert.equal(code, 0);
  assert.deepEqual(marksOf(world), []);
  assert.equal(world.stub.requests.length, before);
}

function clearMarks(world: World): void {
  for (const name of marksOf(world)) Deno.removeSync(`${world.out}/${name}`);
}

for (const agent of claudePrograms()) {
  for (const isolation of ISOLATIONS) {
    Deno.test(`a repository runs nothing before it is trusted, everything after, nothing when it changed (${isolation}, Claude Code ${agent.label})`, async () => {
      await using world = await World.open({ agent });
      writeRepository(world, isolation);
      await assertNothingRuns(world, /you have not trusted/);

      await world.aenv.must(["trust", "--yes"]);
      assert.deepEqual(marksOf(world), []);
      const run = await world.aenv.run(["run", "--", ...PRINT]);
      assert.equal(run.code, 0, run.stderr);
      assert.equal(run.stdout, "STUB-FINAL-ANSWER\n");
      assert.deepEqual(marksOf(world), ALL);
      assert.equal(world.written("pre-activate"), "hi\n");
      const verified = await world.aenv.run(["verify"]);
      assert.equal(verified.code, 0, verified.stdout + verified.stderr);

      clearMarks(world);
      const script = `${world.project}/plugins/crew/scripts/later.sh`;
      writeText(script, "evil\n");
      await assertNothingRuns(world, /plugin crew changed since/);
      writeText(script, "true\n");
      await world.aenv.must(["run", "--", ...PRINT]);
      assert.deepEqual(marksOf(world), ALL);

      clearMarks(world);
      await world.aenv.must(["trust", "--revoke"]);
      await assertNothingRuns(world, /you have not trusted/);
    });
  }
}

let rounds = 0;

/** Types `aenv trust` and waits for its question; returns the screen. The round tells it from an earlier one still on the screen. */
async function startTrust(tmux: Tmux): Promise<readonly string[]> {
  const round = `round-${++rounds}`;
  await tmux.start(`clear; echo ${round}; aenv trust`);
  return await tmux.waitForScreen(
    "the question",
    (lines) =>
      lines.includes(round) &&
      lines.some((line) => /^Trust it, as shown\? \[y\/N\]/.test(line)),
  );
}

Deno.test("aenv trust asks on a terminal; only a yes counts", async () => {
  await using world = await World.open();
  writeRepository(world, "private");
  const env = { ...world.aenv.env };
  await using tmux = await Tmux.open({ cwd: world.project, env });
  for (const answer of ["", "n", "yess"]) {
    await startTrust(tmux);
    await tmux.type(answer);
    assert.equal(await tmux.exitCode(), 1, answer);
    await assertNothingRuns(world, /you have not trusted/);
  }
  await startTrust(tmux);
  await tmux.keys("C-c");
  assert.equal(await tmux.exitCode(), 130);
  const screen = await startTrust(tmux);
  assert.ok(screen.some((line) => line.includes("hook SessionStart:")));
  // What changes while the user reads is not what they said yes to.
  writeText(`${world.project}/plugins/crew/scripts/later.sh`, "evil\n");
  await tmux.type("y");
  assert.equal(await tmux.exitCode(), 0);
  await assertNothingRuns(world, /plugin crew changed since/);
  const again = await startTrust(tmux);
  assert.ok(again.includes("changed: files of plugin crew"), again.join("\n"));
  await tmux.type("y");
  assert.equal(await tmux.exitCode(), 0);
  await world.aenv.must(["run", "--", ...PRINT]);
  assert.deepEqual(marksOf(world), ALL);
});
