/** Commands in an env whose servers need secrets: nothing is looked up before a server is asked for. */
import assert from "node:assert/strict";
import { repositoryRoot } from "../support/agents.ts";
import { HttpMcpServers } from "../support/mcp_http.ts";
import { KEY, McpWorld } from "./mcp_world.ts";

const SUPPORT = `${repositoryRoot()}/tests/support`;

function shell(name: string, key: string): string {
  return `
[mcp.${name}]
command = "node"
args = ["${SUPPORT}/mcp_shell.mjs"]
env = { TOKEN = "\${secret:${key}}" }
`;
}

const CONFINED = `
[vars]
MCP_CONNECTION_NONBLOCKING = "0"
[sandbox]
enabled = true
paths = ["${SUPPORT}:ro"]
`;

Deno.test("a command needs no secret that an agent would need", async () => {
  await using mcp = await McpWorld.open();
  mcp.declare(`${CONFINED}${shell("gh", "no-such-key")}`);
  const options = { env: mcp.env };
  const words = ["exec", "-E", "private", "--"];
  const { code, stderr } = await mcp.world.aenv.run(
    [...words, "true"],
    options,
  );
  assert.equal(code, 0, stderr);
  // An agent that would start without its server is refused.
  const run = ["run", "-E", "private", "--", "-p", "hello"];
  const refused = await mcp.world.aenv.run(run, options);
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /no-such-key/);
});

Deno.test("an agent that a command starts gets its servers with their secrets", async () => {
  await using mcp = await McpWorld.open({
    steps: () => [
      {
        tool: "mcp__gh__run",
        input: { script: "echo ${#TOKEN}; sleep 1" },
      },
      { tool: "mcp__web__ping", input: {} },
    ],
  });
  await using servers = new HttpMcpServers(["x-key", mcp.value]);
  mcp.declare(`${CONFINED}${shell("gh", KEY)}
[mcp.web]
type = "http"
url = "${servers.origin}/mcp"
headers = { X-Key = "\${secret:${KEY}}" }
`);
  const script = "claude -p hello --output-format stream-json --verbose " +
    "--allowedTools=mcp__gh,mcp__web";
  const { code, stdout, stderr } = await mcp.world.aenv.run(
    ["exec", "-E", "private", "--", "sh", "-c", script],
    { env: mcp.env },
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`${mcp.value.length}\\\\nexit 0`));
  assert.match(stdout, /pong over http/);
  assert.ok(!stdout.includes(mcp.value));
  assert.deepEqual(mcp.filesWithValue(), []);
  assert.deepEqual(mcp.world.runs(), []);
});

Deno.test("what may not be granted to a server stops the launch", async () => {
  await using mcp = await McpWorld.open();
  for (const path of ["~:ro", "~/.aenv:ro", "~/.bashrc:rw", "/usr:rw"]) {
    mcp.declare(
      `${CONFINED}${shell("gh", KEY)}[mcp.gh.sandbox]\npaths = ["${path}"]\n`,
    );
    Deno.writeTextFileSync(`${mcp.world.home}/.bashrc`, "");
    const { code, stderr } = await mcp.world.aenv.run(
      ["exec", "-E", "private", "--", "true"],
      { env: mcp.env },
    );
    assert.equal(code, 3, stderr);
    assert.match(stderr, /Cannot grant "mcp\.gh\.sandbox\.paths: /);
    assert.deepEqual(mcp.world.runs(), []);
  }
});
