/** `aenv verify` of a confined env runs the agent in the sandbox. */
import assert from "node:assert/strict";
import { claudePrograms } from "../support/agents.ts";
import { writePlugin } from "../support/claude_items.ts";
import { ISOLATIONS, World } from "./agent_world.ts";

/** What verify says of a confined env whose plugin has a hook that writes to `marks`. */
async function verify(
  world: World,
  isolation: (typeof ISOLATIONS)[number],
  marks: string,
): Promise<{ code: number; text: string }> {
  const plugin = `${world.root}/plugin`;
  writePlugin(plugin, "crew", {
    tokens: { skill: "crew-skill", hook: "crew-hook" },
    marks,
  });
  world.writeEnv(
    isolation,
    `isolation = "${isolation}"
[sandbox]
enabled = true
[[plugins.enabled]]
name = "crew"
source = "${plugin}"`,
  );
  const words = ["verify", "-E", isolation];
  const { code, stdout, stderr } = await world.aenv.run(words);
  return { code, text: stdout + stderr };
}

for (const agent of claudePrograms()) {
  for (const isolation of ISOLATIONS) {
    Deno.test(`verify finds a confined env equal to its manifest: ${isolation}, Claude Code ${agent.label}`, async () => {
      await using world = await World.open({ agent });
      const { code, text } = await verify(world, isolation, world.project);
      assert.equal(code, 0, text);
      const hooked = Deno.readTextFileSync(`${world.project}/crew-hook`);
      assert.match(hooked, /^AENV_SANDBOX=/m);
    });
  }
}

Deno.test("verify confines the hooks of a confined env, and shows one that fails there", async () => {
  await using world = await World.open();
  const { code, text } = await verify(world, "private", world.out);
  assert.equal(code, 1, text);
  assert.match(text, /FAILED {2}hook.*\n[^]*Permission denied/);
  assert.deepEqual([...Deno.readDirSync(world.out)], []);
});
