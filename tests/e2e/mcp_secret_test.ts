/** A secret reaches the MCP server that asks for it, and nothing else: not the agent, what it starts, or any file. */

import assert from "node:assert/strict";
import { claudePrograms } from "../support/agents.ts";
import { HttpMcpServers } from "../support/mcp_http.ts";
import type { Step } from "../support/stub_api.ts";
import {
  descendantsOf,
  everythingServer,
  KEY,
  McpWorld,
  type Session,
  showsValue,
} from "./mcp_world.ts";

const CALLS: readonly Step[] = [
  { tool: "mcp__all__echo", input: { message: "hello" } },
  { tool: "mcp__web__ping", input: {} },
  { tool: "mcp__old__ping", input: {} },
];

/** Three servers that need the secret: a program, and one of each kind over HTTP. */
function declareServers(
  mcp: McpWorld,
  origin: string,
  more = "",
): void {
  const { command, args } = everythingServer();
  mcp.declare(`${more}
[mcp.all]
command = "${command}"
args = ${JSON.stringify(args)}
env = { TOKEN = "\${secret:${KEY}}" }

[mcp.web]
type = "http"
url = "${origin}/mcp"
headers = { Authorization = "Bearer \${secret:${KEY}}" }

[mcp.old]
type = "sse"
url = "${origin}/sse"
headers = { Authorization = "Bearer \${secret:${KEY}}" }
`);
}

/** Processes of the agent that show the value. */
function leakyProcesses(session: Session, mcp: McpWorld): number[] {
  const agent = session.agent();
  return [agent, ...descendantsOf(agent)].filter((pid) =>
    showsValue(pid, mcp.value)
  );
}

for (const agent of claudePrograms()) {
  Deno.test(`servers over stdio, http and sse work with a secret that nobody else sees, Claude Code ${agent.label}`, async () => {
    await using mcp = await McpWorld.open({ agent, before: CALLS });
    await using servers = new HttpMcpServers([
      "authorization",
      `Bearer ${mcp.value}`,
    ]);
    declareServers(mcp, servers.origin);
    const session = await mcp.start();
    assert.deepEqual(leakyProcesses(session, mcp), []);
    // The server itself has it, and is none of the agent's.
    const holders = session.beside().filter((pid) =>
      showsValue(pid, mcp.value)
    );
    assert.equal(holders.length, 1);
    assert.deepEqual(mcp.filesWithValue(), []);
    session.goOn();
    const { code, results, stderr } = await session.finish();
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    assert.deepEqual(results.slice(0, 3), [
      "Echo: hello",
      "pong over http",
      "pong over http",
    ]);
    assert.equal(servers.refused, 0);
    assert.deepEqual(mcp.filesWithValue(), []);
    for (const { headers, body } of mcp.world.stub.requests) {
      assert.ok(!JSON.stringify([headers, body]).includes(mcp.value));
    }
    assert.deepEqual(mcp.world.runs(), []);
  });
}

Deno.test('with expose = "env" the same search finds it: in the agent and all that it starts', async () => {
  await using mcp = await McpWorld.open({ before: CALLS });
  await using servers = new HttpMcpServers([
    "authorization",
    `Bearer ${mcp.value}`,
  ]);
  declareServers(mcp, servers.origin, '[secrets]\nexpose = "env"\n');
  const session = await mcp.start();
  // Nothing has to stay: the launcher became the agent.
  const processes = [session.child.pid, ...descendantsOf(session.child.pid)];
  const leaky = processes.filter((pid) => showsValue(pid, mcp.value));
  assert.ok(leaky.includes(session.child.pid));
  assert.ok(leaky.length > 2, `${leaky.length} of ${processes.length}`);
  session.goOn();
  const { results } = await session.finish();
  assert.deepEqual(results.slice(0, 3), [
    "Echo: hello",
    "pong over http",
    "pong over http",
  ]);
});

Deno.test("a wrong value is refused by the servers: the relay asks for no login", async () => {
  await using mcp = await McpWorld.open();
  await using servers = new HttpMcpServers(["authorization", "Bearer other"]);
  declareServers(mcp, servers.origin);
  const session = await mcp.start();
  session.goOn();
  const { stdout } = await session.finish();
  const init = stdout.split("\n").map((line) => line.trim())
    .filter((line) => line.includes('"subtype":"init"'))
    .map((line) => JSON.parse(line))[0];
  const states = Object.fromEntries(
    init.mcp_servers.map((
      { name, status }: { name: string; status: string },
    ) => [name, status]),
  );
  assert.deepEqual(states, { all: "connected", web: "failed", old: "failed" });
  assert.ok(servers.refused > 0);
});
