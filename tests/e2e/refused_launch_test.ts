/** Hooks before the agent, and launches that must not happen: exit 3, and the agent was not started. */

import assert from "node:assert/strict";
import type { Finished } from "../support/process.ts";
import { World } from "./agent_world.ts";

const PRINT = ["-p", "hello"];

Deno.test("pre_activate runs in the cwd with the env's variables before the agent, its output on stderr", async () => {
  await using world = await World.open();
  world.writeEnv(
    "private",
    `[vars]
GREETING = "hi"

[hooks]
pre_activate = "echo hook says $GREETING in $PWD; echo $AENV > hooked"`,
  );
  const { code, stdout, stderr } = await world.aenv.claude("private", PRINT);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "STUB-FINAL-ANSWER\n");
  assert.equal(stderr, `hook says hi in ${world.project}\n`);
  const marked = await Deno.readTextFile(`${world.project}/hooked`);
  assert.equal(marked, "private\n");
});

Deno.test("a pre_activate hook that fails stops the launch and leaves no trace of it", async () => {
  await using world = await World.open();
  world.writeEnv("private", `[hooks]\npre_activate = "exit 7"`);
  const finished = await world.aenv.claude("private", PRINT);
  assertRefused(world, finished, /pre_activate hook ended with exit code 7/);
  assert.deepEqual(world.runs(), []);
});

/** What is refused: `[env]` lines of a manifest, and the reason given. */
const REFUSED: Readonly<Record<string, readonly [string, RegExp]>> = {
  "an agent outside compat": [
    `compat = { claude = "<2" }`,
    /version \d+\.\d+\.\d+ is outside <2/,
  ],
  "an unknown key": [`isolaton = "private"`, /unknown key "isolaton"/],
  "a variable that is not set": [
    `[mcp.x]\ncommand = "x"\nargs = ["\${env:NOT_SET}"]`,
    /needs the variable NOT_SET/,
  ],
  "a plugin that is not there": [
    `[[plugins.enabled]]\nname = "p"\nsource = "./p"`,
    /it does not exist/,
  ],
  "a sandbox with a grant that would undo it": [
    '[sandbox]\nenabled = true\npaths = ["~:rw"]',
    /it is your home directory/,
  ],
};

for (const [name, [lines, reason]] of Object.entries(REFUSED)) {
  Deno.test(`a launch is refused for ${name}`, async () => {
    await using world = await World.open();
    world.writeEnv("private", lines);
    assertRefused(world, await world.aenv.claude("private", PRINT), reason);
  });
}

Deno.test("a launch is refused for an env that does not exist", async () => {
  await using world = await World.open();
  const finished = await world.aenv.claude("gone", PRINT);
  assertRefused(world, finished, /there is none of that name/);
});

function assertRefused(
  world: World,
  { code, stdout, stderr }: Finished,
  reason: RegExp,
): void {
  assert.equal(code, 3, stderr);
  assert.equal(stdout, "");
  assert.match(stderr, reason);
  assert.deepEqual(world.stub.requests, []);
}
