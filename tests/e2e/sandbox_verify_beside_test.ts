/** `aenv verify` of a confined env beside which something stays: a list of hosts, servers with secrets. */
import assert from "node:assert/strict";
import { claudePrograms, repositoryRoot } from "../support/agents.ts";
import { HttpMcpServers } from "../support/mcp_http.ts";
import { KEY, McpWorld } from "./mcp_world.ts";

interface Row {
  readonly kind: string;
  readonly item: string;
  readonly seen: unknown;
  readonly status: string;
  readonly detail?: string;
}

const SUPPORT = `${repositoryRoot()}/tests/support`;

async function verify(
  mcp: McpWorld,
  ...more: readonly string[]
): Promise<{
  readonly code: number;
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
}> {
  const { code, stdout, stderr } = await mcp.world.aenv.run(
    ["verify", "-E", "private", "--json", ...more],
    { env: mcp.env, timeoutMs: 120_000 },
  );
  assert.ok(code < 2, stderr);
  assert.ok(!(stdout + stderr).includes(mcp.value));
  const { rows, notes } = JSON.parse(stdout);
  return { code, rows, notes };
}

function shown(rows: readonly Row[], kind: string): string[] {
  return rows.filter((row) => row.kind === kind)
    .map(({ status, item }) => `${status}: ${item}`);
}

function shell(name: string): string {
  return `
[mcp.${name}]
command = "node"
args = ["${SUPPORT}/mcp_shell.mjs"]
env = { TOKEN = "\${secret:${KEY}}" }
`;
}

for (const agent of claudePrograms()) {
  for (const more of [[], ["--full"]]) {
    Deno.test(`verify runs an agent and servers in sandboxes of their own and tries what they claim ${more}, Claude Code ${agent.label}`, async () => {
      await using mcp = await McpWorld.open({ agent });
      await using servers = new HttpMcpServers(["x-key", mcp.value]);
      mcp.declare(`
[sandbox]
enabled = true
paths = ["${SUPPORT}:ro"]
network = { mode = "hosts", allow = ["example.com"] }
${shell("all")}
${shell("gh")}
[mcp.web]
type = "http"
url = "${servers.origin}/mcp"
headers = { X-Key = "\${secret:${KEY}}" }
`);
      const { code, rows } = await verify(mcp, ...more);
      assert.equal(code, 0, JSON.stringify(rows, null, 2));
      assert.deepEqual(shown(rows, "mcp server"), [
        "ok: all",
        "ok: gh",
        "ok: web",
      ]);
      assert.deepEqual(shown(rows, "sandbox"), [
        "ok: files outside are closed",
        "ok: network: only listed hosts",
        "ok: processes outside are closed",
        "ok: neither the agent nor all and gh can read the other",
      ]);
      assert.deepEqual(mcp.filesWithValue(), []);
      assert.deepEqual(mcp.world.runs(), []);
    });
  }
}

Deno.test("verify reaches an http server with a secret although the network is none, and nothing else", async () => {
  await using mcp = await McpWorld.open();
  await using servers = new HttpMcpServers(["x-key", mcp.value]);
  mcp.declare(`
[sandbox]
enabled = true
network = "none"
[mcp.web]
type = "http"
url = "${servers.origin}/mcp"
headers = { X-Key = "\${secret:${KEY}}" }
`);
  const { code, rows } = await verify(mcp);
  assert.equal(code, 0, JSON.stringify(rows, null, 2));
  assert.deepEqual(shown(rows, "mcp server"), ["ok: web"]);
  assert.deepEqual(shown(rows, "sandbox").slice(0, 2), [
    "ok: files outside are closed",
    "ok: network: no host",
  ]);
});

Deno.test("verify tries the claims of a sandbox without anything beside it as well", async () => {
  await using mcp = await McpWorld.open();
  mcp.declare('[sandbox]\nenabled = true\nnetwork = "none"');
  const { code, rows } = await verify(mcp);
  assert.equal(code, 0, JSON.stringify(rows, null, 2));
  assert.deepEqual(shown(rows, "sandbox"), [
    "ok: files outside are closed",
    "ok: network: none",
    "ok: processes outside are closed",
  ]);
});

for (const beside of ["", shell("all")]) {
  Deno.test(
    `verify --full reads a request of an agent without a network, and says what was open for it${
      beside && ", with a server beside it"
    }`,
    async () => {
      await using mcp = await McpWorld.open();
      const memory = "A line that the model is sent.";
      Deno.writeTextFileSync(`${mcp.world.project}/CLAUDE.md`, memory);
      mcp.declare(`
[sandbox]
enabled = true
paths = ["${SUPPORT}:ro"]
network = "none"
${beside}`);
      const { code, rows, notes } = await verify(mcp, "--full");
      assert.equal(code, 0, JSON.stringify(rows, null, 2));
      assert.ok(shown(rows, "sandbox").includes("ok: network: none"));
      assert.ok(
        rows.some(({ kind, status }) => kind === "memory" && status === "ok"),
      );
      assert.equal(notes.filter((note) => /one address/.test(note)).length, 1);
      assert.deepEqual(mcp.world.runs(), []);
      assert.ok(!notes.some((note) => note.startsWith("codex ")));
      Deno.writeTextFileSync(
        `${mcp.world.aenv.root}/envs/private/codex.toml`,
        "",
      );
      const plain = await verify(mcp);
      assert.ok(
        plain.notes.some((note) => /^codex was not looked at/.test(note)),
      );
      assert.deepEqual(
        plain.notes.filter((note) => /one address/.test(note)),
        [],
      );
    },
  );
}
