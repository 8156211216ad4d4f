/** Whoever is killed: the agent sees a server that has ended, and nothing stays behind. */

import assert from "node:assert/strict";
import { writeText } from "../support/claude_items.ts";
import { waitFor } from "../support/process.ts";
import type { Step } from "../support/stub_api.ts";
import {
  allProcesses,
  argumentsOf,
  descendantsOf,
  everythingServer,
  isRunning,
  isThere,
  KEY,
  McpWorld,
  processesOf,
  type Session,
} from "./mcp_world.ts";

const ECHO: Step = { tool: "mcp__all__echo", input: { message: "hello" } };
const AGAIN: Step = { tool: "mcp__all__echo", input: { message: "again" } };

/** How the server is started: as it is, or with a shell that ignores every request to end and has something else running. */
const STARTS = { "well-behaved": "", "stubborn": "stubborn" } as const;

async function open(kind: keyof typeof STARTS): Promise<McpWorld> {
  const mcp = await McpWorld.open({ before: [ECHO], after: [AGAIN] });
  const { command, args } = everythingServer();
  const script = `${mcp.world.root}/stubborn.sh`;
  writeText(
    script,
    `trap '' TERM HUP INT PIPE\n(while :; do sleep 1; done) &\n"$@"\nwhile :; do sleep 1; done\n`,
  );
  const words = STARTS[kind] === ""
    ? [command, ...args]
    : ["/bin/sh", script, command, ...args];
  mcp.declare(`
[mcp.all]
command = ${JSON.stringify(words[0])}
args = ${JSON.stringify(words.slice(1))}
env = { TOKEN = "\${secret:${KEY}}" }`);
  return mcp;
}

/** Waits until nothing of the world runs, and then until its launch has no directory. */
async function waitForNothing(mcp: McpWorld): Promise<void> {
  await waitFor("the end of all processes", () => {
    const left = processesOf(mcp.world.root).filter((pid) => pid !== Deno.pid);
    return left.length === 0 || undefined;
  });
}

/** The directories of launches that the next launch leaves but its own, which is the one after it to remove. */
async function runsAfterNext(mcp: McpWorld): Promise<readonly string[]> {
  const before = mcp.world.runs();
  const finished = await mcp.world.aenv.claude("overlay", ["--version"]);
  assert.equal(finished.code, 0);
  return mcp.world.runs().filter((run) => before.includes(run));
}

/** The relay that the agent has started. */
async function relayOf(session: Session): Promise<number> {
  return await waitFor(
    "the relay",
    () =>
      descendantsOf(session.agent()).find((pid) =>
        argumentsOf(pid).includes("/relay.pl")
      ),
  );
}

/** Waits until the agent knows that its relay has ended: a call that it has made before is lost. */
async function untilNoticed(relay: number): Promise<void> {
  // As long as its parent has not asked for its end it stays, as a zombie.
  await waitFor(
    "the agent to notice",
    () => !isThere(`/proc/${relay}`) || undefined,
  );
}

for (const kind of Object.keys(STARTS) as (keyof typeof STARTS)[]) {
  Deno.test(`the server is killed: the agent starts it again, ${kind}`, async () => {
    await using mcp = await open(kind);
    const session = await mcp.start();
    const servers = session.beside().filter((pid) =>
      argumentsOf(pid).includes("everything")
    );
    const relay = await relayOf(session);
    for (const pid of servers) Deno.kill(pid, "SIGKILL");
    await waitFor("its end", () => !servers.some(isRunning) || undefined);
    await untilNoticed(relay);
    session.goOn();
    const { code, results } = await session.finish();
    assert.equal(code, 0);
    assert.deepEqual([results[0], results.at(-1)], [
      "Echo: hello",
      "Echo: again",
    ]);
    await waitForNothing(mcp);
    assert.deepEqual(mcp.world.runs(), []);
  });

  Deno.test(`the relay is killed: the agent starts it again, ${kind}`, async () => {
    await using mcp = await open(kind);
    const session = await mcp.start();
    const before = session.beside();
    const relay = await relayOf(session);
    Deno.kill(relay, "SIGKILL");
    await untilNoticed(relay);
    session.goOn();
    const { code, results } = await session.finish();
    assert.equal(code, 0);
    assert.deepEqual([results[0], results.at(-1)], [
      "Echo: hello",
      "Echo: again",
    ]);
    assert.ok(before.length > 0);
    await waitForNothing(mcp);
    assert.deepEqual(mcp.world.runs(), []);
  });

  Deno.test(`the agent is killed: the supervisor dies the same way and leaves nothing, ${kind}`, async () => {
    await using mcp = await open(kind);
    const session = await mcp.start();
    Deno.kill(session.agent(), "SIGKILL");
    const { signal, code } = await session.child.status;
    assert.deepEqual([signal, code], ["SIGKILL", 137]);
    assert.deepEqual(mcp.world.runs(), []);
    // What the agent's own command started is not the supervisor's to end.
    session.goOn();
    await waitForNothing(mcp);
  });

  Deno.test(`the supervisor is killed: servers end, the agent goes on without them, ${kind}`, async () => {
    await using mcp = await open(kind);
    const session = await mcp.start();
    const agent = session.agent();
    const servers = session.beside();
    assert.ok(servers.length > 0);
    Deno.kill(session.child.pid, "SIGKILL");
    await waitFor(
      "the end of the servers",
      () => !servers.some(isRunning) || undefined,
    );
    assert.ok(isRunning(agent));
    // Its files are there as long as it is.
    await mcp.world.aenv.claude("overlay", ["--version"]);
    const [run] = mcp.world.runs();
    assert.ok(isThere(`${mcp.world.aenv.root}/runs/${run}/settings.json`));
    assert.ok(!isThere(`${mcp.world.aenv.root}/runs/${run}/1.sock`));
    session.goOn();
    const { results } = await session.finish();
    assert.equal(results[0], "Echo: hello");
    assert.match(results.at(-1)!, /not connected|Connection closed|closed/i);
    await waitForNothing(mcp);
    assert.deepEqual(await runsAfterNext(mcp), []);
  });
}

Deno.test("the whole process group is killed at once: nothing stays", async () => {
  await using mcp = await open("stubborn");
  const session = await mcp.start();
  const servers = session.beside();
  const agent = session.agent();
  for (const pid of [session.child.pid, agent]) Deno.kill(pid, "SIGKILL");
  await session.finish();
  await waitFor(
    "the end of the servers",
    () => !servers.some(isRunning) || undefined,
  );
  session.goOn();
  await waitForNothing(mcp);
  assert.ok(!allProcesses().some((pid) => servers.includes(pid)));
  assert.deepEqual(await runsAfterNext(mcp), []);
});
