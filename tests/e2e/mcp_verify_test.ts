/** `aenv verify` with servers beside the agent. */

import assert from "node:assert/strict";
import { HttpMcpServers } from "../support/mcp_http.ts";
import { claudePrograms } from "../support/agents.ts";
import { everythingServer, KEY, McpWorld } from "./mcp_world.ts";

interface Report {
  readonly ok: boolean;
  readonly rows: readonly {
    readonly kind: string;
    readonly item: string;
    readonly declared: unknown;
    readonly seen: unknown;
    readonly status: string;
    readonly detail?: string;
  }[];
  readonly notes: readonly string[];
}

async function verify(mcp: McpWorld): Promise<Report> {
  const { code, stdout, stderr } = await mcp.world.aenv.run(
    ["verify", "-E", "private", "--json"],
    { env: mcp.env, timeoutMs: 120_000 },
  );
  assert.ok(code < 2, stderr);
  assert.ok(!(stdout + stderr).includes(mcp.value));
  return JSON.parse(stdout);
}

for (const agent of claudePrograms()) {
  Deno.test(`verify shows servers beside the agent as what they are, Claude Code ${agent.label}`, async () => {
    await using mcp = await McpWorld.open({ agent });
    await using servers = new HttpMcpServers(["x-key", mcp.value]);
    const { command, args } = everythingServer();
    mcp.declare(`
[mcp.all]
command = "${command}"
args = ${JSON.stringify(args)}
env = { TOKEN = "\${secret:${KEY}}" }

[mcp.web]
type = "http"
url = "${servers.origin}/mcp"
headers = { X-Key = "\${secret:${KEY}}" }
`);
    const report = await verify(mcp);
    assert.ok(report.ok, JSON.stringify(report, null, 2));
    const rows = report.rows.filter(({ kind }) => kind === "mcp server")
      .map(({ item, declared, seen }) => [item, declared, seen]);
    assert.deepEqual(rows, [
      ["all", "beside the agent", "beside the agent"],
      ["web", "beside the agent", "beside the agent"],
    ]);
    const [note] = report.notes.filter((note) => note.includes("/proc"));
    assert.match(note!, /not confined.* read the environment of all,/);
    assert.deepEqual(mcp.filesWithValue(), []);
    assert.deepEqual(mcp.world.runs(), []);
  });
}

Deno.test("verify says why a server beside the agent does not work, and not with which value", async () => {
  await using mcp = await McpWorld.open();
  mcp.declare(`
[mcp.all]
command = "sh"
args = ["-c", "echo no $TOKEN for me >&2; exit 1"]
env = { TOKEN = "\${secret:${KEY}}" }

[mcp.gone]
command = "no-such-program"
env = { TOKEN = "\${secret:${KEY}}" }
`);
  const report = await verify(mcp);
  assert.equal(report.ok, false);
  const details = Object.fromEntries(
    report.rows.filter(({ kind }) => kind === "mcp server")
      .map(({ item, status, detail }) => [item, `${status}: ${detail}`]),
  );
  assert.match(details["all"]!, /^failed: .*no \[redacted\] for me/);
  assert.match(details["gone"]!, /^failed: .*Cannot run "no-such-program"/);
});
