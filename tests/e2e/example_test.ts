/** The example environment, and the demo that shows it. */

import assert from "node:assert/strict";
import { aenvBinary } from "../support/aenv.ts";
import { claudePrograms, repositoryRoot } from "../support/agents.ts";
import { run } from "../support/process.ts";
import { ISOLATIONS, World } from "./agent_world.ts";

const EXAMPLE = `${repositoryRoot()}/examples/review-team`;

for (const agent of claudePrograms()) {
  for (const isolation of ISOLATIONS) {
    Deno.test(`aenv verify confirms the example (${isolation}, Claude Code ${agent.label})`, async () => {
      await using world = await World.open({ agent });
      await copyExample(world.project, isolation);
      await world.aenv.must(["trust", "--yes"]);
      // From below the manifest: its server is found from everywhere.
      const cwd = `${world.project}/servers`;
      const { code, stdout, stderr } = await world.aenv.run(["verify"], {
        cwd,
      });
      assert.equal(code, 0, stdout + stderr);
    });
  }
}

async function copyExample(to: string, isolation: string): Promise<void> {
  const env = { PATH: "/usr/bin:/bin" };
  const copy = await run("cp", ["-R", `${EXAMPLE}/.`, to], { env, cwd: to });
  assert.equal(copy.code, 0, copy.stderr);
  const manifest = await Deno.readTextFile(`${to}/aenv.toml`);
  const changed = manifest.replace(
    /^isolation = "\w+"/m,
    `isolation = "${isolation}"`,
  );
  await Deno.writeTextFile(`${to}/aenv.toml`, changed);
}

Deno.test("deno task demo shows what it claims", async () => {
  const { code, stdout, stderr } = await run(
    Deno.execPath(),
    ["run", "--allow-all", "scripts/demo.ts"],
    {
      env: { ...Deno.env.toObject(), AENV_BIN: aenvBinary() },
      cwd: repositoryRoot(),
    },
  );
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^All as claimed\.$/m);
  const held = /^ {2}ok {4}.* (permission denied|operation not permitted)$/gm;
  assert.equal(stdout.match(held)?.length, 2, stdout);
  assert.ok(!stdout.includes("WRONG"));
});
