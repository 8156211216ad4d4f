/** What the README says can be typed, and works. */

import assert from "node:assert/strict";
import { Aenv } from "../support/aenv.ts";
import { claudePrograms, repositoryRoot } from "../support/agents.ts";
import { run } from "../support/process.ts";
import { StubApi } from "../support/stub_api.ts";
import { TempDir } from "../support/temp.ts";

const README = Deno.readTextFileSync(`${repositoryRoot()}/README.md`);

/** The text of one second-level section. */
function section(title: string): string {
  const start = README.indexOf(`\n## ${title}\n`);
  assert.notEqual(start, -1, `README has no section "${title}"`);
  const end = README.indexOf("\n## ", start + 1);
  return README.slice(start, end < 0 ? undefined : end);
}

/** The fenced blocks of a language in a text, in order. */
function blocks(text: string, language: string): string[] {
  const fence = new RegExp("```" + language + "\\n([\\s\\S]*?)```", "g");
  return [...text.matchAll(fence)].map((match) => match[1]!);
}

Deno.test("the README's five-minute start works as it stands", async () => {
  using temp = new TempDir();
  await using stub = new StubApi();
  const [agent] = claudePrograms();
  const aenv = new Aenv({
    home: temp.path,
    cwd: temp.path,
    agent,
    env: { ANTHROPIC_BASE_URL: stub.url, ANTHROPIC_API_KEY: "sk-ant-api03-x" },
  });
  await aenv.must(["init"]);
  const script = blocks(section("Five-minute start"), "sh");
  assert.equal(script.length, 3);
  const { AENV_HOME: _, ...env } = aenv.env;
  const finished = await run("/bin/bash", [
    "-c",
    "set -eu\n" + script.join("\n"),
  ], {
    env,
    cwd: temp.path,
    timeoutMs: 120_000,
  });
  assert.equal(finished.code, 0, finished.stdout + finished.stderr);
  assert.match(finished.stdout, /env: work/);
  assert.match(finished.stdout, /skills:strict/);
  assert.equal(finished.stdout.match(/STUB-FINAL-ANSWER/g)?.length, 2);
});

Deno.test("the README lists the commands that there are", async () => {
  using temp = new TempDir();
  const [agent] = claudePrograms();
  const aenv = new Aenv({ home: temp.path, cwd: temp.path, agent });
  const help = await aenv.must(["--help"]);
  // Of commands of two words, the first.
  const rows = [...help.matchAll(/^ {2}([a-z-]+)( [a-z-]+)? {2,}\S/gm)];
  const offered = [...new Set(rows.map((m) => m[1]!))];
  const told = [...section("Commands").matchAll(/`aenv ([a-z-]+)/g)].map((m) =>
    m[1]!
  );
  assert.ok(offered.length > 10);
  assert.deepEqual(
    [...new Set(told)].filter((t) => t !== "deactivate").sort(),
    offered.sort(),
  );
});

Deno.test("the README's aenv.toml is a valid manifest", async () => {
  using temp = new TempDir();
  const [agent] = claudePrograms();
  const aenv = new Aenv({ home: temp.path, cwd: temp.path, agent });
  const [manifest] = blocks(section("aenv.toml"), "toml");
  await Deno.writeTextFile(`${temp.path}/aenv.toml`, manifest!);
  assert.equal((await aenv.must(["current"])).trim(), "fullstack");
  await Deno.writeTextFile(
    `${temp.path}/aenv.toml`,
    manifest! + "surplus = 1\n",
  );
  assert.equal((await aenv.run(["current"])).code, 1);
});
