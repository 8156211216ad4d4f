/** What the user types after `claude` cannot undo the isolation; what adds to it still works. */

import assert from "node:assert/strict";
import {
  mcpServerOf,
  writeJson,
  writePlugin,
  writeText,
} from "../support/claude_items.ts";
import { ISOLATIONS, World } from "./agent_world.ts";

const PRINT = ["-p", "hello", "--allowedTools=Bash"];

/** A world whose user has instructions, a variable in the settings, and an MCP server of their own; `out/env` shows a session's variables. */
async function openWorld(): Promise<World> {
  const world = await World.open({
    steps: ({ root }) => [{ bash: `env > '${root}/out/env'` }],
  });
  const { home } = world;
  writeText(`${home}/.claude/CLAUDE.md`, "OF-THE-USER");
  writeText(`${home}/CLAUDE.md`, "OF-THE-HOME");
  const env = { FROM_USER_SETTINGS: "1" };
  writeJson(`${home}/.claude/settings.json`, { env });
  const server = mcpServerOf("of-the-user", world.out);
  writeJson(`${home}/.claude.json`, { mcpServers: { "of-the-user": server } });
  return world;
}

/** Files of the caller's own, by the placeholder that stands for them. */
function writeCallerFiles(
  { root, out }: World,
): Readonly<Record<string, string>> {
  const caller = `${root}/caller`;
  writeJson(`${caller}/mcp.json`, {
    mcpServers: { "of-the-caller": mcpServerOf("of-the-caller", out) },
  });
  writeJson(`${caller}/settings.json`, OPENING_SETTINGS);
  writePlugin(`${caller}/helper`, "helper", {
    tokens: { skill: "helper-skill" },
    marks: out,
  });
  return {
    "<mcp>": `${caller}/mcp.json`,
    "<settings>": `${caller}/settings.json`,
    "<plugin>": `${caller}/helper`,
  };
}

/** Settings that would let everything in again, and a variable that is the caller's right. */
const OPENING_SETTINGS = {
  env: { FROM_THE_CALLER: "1" },
  claudeMdExcludes: [],
  disableClaudeAiConnectors: false,
  autoMemoryEnabled: true,
};

/** What the flags bring: a variable of the session, or a word of the request. */
interface Brought {
  readonly variable?: string;
  readonly word?: string;
}

const FLAGS: Readonly<Record<string, readonly [readonly string[], Brought]>> = {
  "--settings FILE": [["--settings", "<settings>"], {
    variable: "FROM_THE_CALLER=1",
  }],
  "--settings=JSON": [[`--settings=${JSON.stringify(OPENING_SETTINGS)}`], {
    variable: "FROM_THE_CALLER=1",
  }],
  "--setting-sources": [["--setting-sources", "user,project,local"], {}],
  "--mcp-config": [["--mcp-config", "<mcp>"], {
    word: "mcp__of-the-caller__ping",
  }],
  "--plugin-dir": [["--plugin-dir", "<plugin>"], {
    word: "helper:helper-skill",
  }],
};

for (const isolation of ISOLATIONS) {
  for (const [name, [flags, brought]] of Object.entries(FLAGS)) {
    Deno.test(`${name} adds to an env and opens nothing (${isolation})`, async () => {
      await using world = await openWorld();
      const files = writeCallerFiles(world);
      const args = [...PRINT, ...flags.map((flag) => files[flag] ?? flag)];
      const { code, stderr } = await world.aenv.claude(isolation, args);
      assert.equal(code, 0, stderr);
      const body = world.stub.modelRequests()[0]!.body;
      const variables = world.written("env");
      for (const canary of ["OF-THE-USER", "OF-THE-HOME", "of-the-user"]) {
        assert.ok(!body.includes(canary), `${canary} leaked`);
      }
      assert.ok(!variables.includes("FROM_USER_SETTINGS"), "settings leaked");
      const { variable, word } = brought;
      if (variable) assert.ok(variables.split("\n").includes(variable));
      if (word) assert.ok(body.includes(word), `${word} is missing`);
    });
  }
}

for (
  const [name, value] of Object.entries({
    "a file that is not there": "missing.json",
    "broken JSON": "{",
    "a value of the wrong type": '{"env":"x"}',
  })
) {
  Deno.test(`--settings with ${name} stops the launch`, async () => {
    await using world = await World.open();
    const finished = await world.aenv.claude("private", [
      ...PRINT,
      "--settings",
      value,
    ]);
    assert.equal(finished.code, 3, finished.stderr);
    assert.deepEqual(world.stub.requests, []);
  });
}

Deno.test("outside of an env the user's own configuration is loaded", async () => {
  await using world = await openWorld();
  const { code, stderr } = await world.aenv.claude("global", PRINT);
  assert.equal(code, 0, stderr);
  const body = world.stub.modelRequests()[0]!.body;
  for (const canary of ["OF-THE-USER", "OF-THE-HOME", "of-the-user"]) {
    assert.ok(body.includes(canary), canary);
  }
  const variables = world.written("env");
  assert.ok(variables.includes("FROM_USER_SETTINGS=1"));
});
