/** MCP servers with a secret beside a confined agent: they work, and neither gets at the other. */
import assert from "node:assert/strict";
import { claudePrograms } from "../support/agents.ts";
import { HttpMcpServers } from "../support/mcp_http.ts";
import type { Step } from "../support/stub_api.ts";
import { everythingServer, KEY, McpWorld, showsValue } from "./mcp_world.ts";

const CALLS: readonly Step[] = [
  { tool: "mcp__all__echo", input: { message: "hello" } },
  { tool: "mcp__web__ping", input: {} },
  // Guards: the server's environment and memory, its relay's socket, and what the launch wrote.
  {
    bash: `cd "$OLDPWD" 2>/dev/null
      for dir in /proc/[0-9]*; do cat $dir/environ $dir/mem; done > all 2>/dev/null; tr '\\0' '\\n' < all > environs; rm all
      run=$(tr '\\0' '\\n' < /proc/$PPID/cmdline | sed -n 's,^--settings=\\(.*\\)/settings.json,\\1,p')
      for sock in $run/*.sock; do rm $sock || echo kept >> sockets; done
      for file in $run/mcp.json; do echo {} > $file || echo kept >> files; done
      ls $AENV_HOME/envs/private/server-cache || echo closed >> files`,
  },
];

const NETWORKS = {
  open: () => "",
  hosts: (url: string) =>
    `network = { mode = "hosts", allow = ["localhost:${new URL(url).port}"] }`,
};

for (const agent of claudePrograms()) {
  for (const [mode, network] of Object.entries(NETWORKS)) {
    Deno.test(`servers with a secret work beside a confined agent, network ${mode}, Claude Code ${agent.label}`, async () => {
      await using mcp = await McpWorld.open({ agent, before: CALLS });
      await using servers = new HttpMcpServers([
        "authorization",
        `Bearer ${mcp.value}`,
      ]);
      const { command, args } = everythingServer();
      mcp.declare(`
[vars]
# The agent waits for its servers.
MCP_CONNECTION_NONBLOCKING = "0"
[sandbox]
enabled = true
paths = ["${args[0]!.replace(/\/node_modules\/.*/, "")}:ro"]
${network(mcp.world.stub.url)}
[mcp.all]
command = "${command}"
args = ${JSON.stringify(args)}
env = { TOKEN = "\${secret:${KEY}}" }
[mcp.web]
type = "http"
url = "${servers.origin}/mcp"
headers = { Authorization = "Bearer \${secret:${KEY}}" }
`);
      const session = await mcp.start();
      const holders = session.beside().filter((pid) =>
        showsValue(pid, mcp.value)
      );
      assert.equal(holders.length, 1);
      session.goOn();
      const { code, results, stderr } = await session.finish();
      assert.equal(code, 0, stderr);
      assert.deepEqual(results.slice(0, 2), ["Echo: hello", "pong over http"]);
      const { project } = mcp.world;
      const seen = Deno.readTextFileSync(`${project}/environs`);
      assert.ok(seen.includes("AENV_ACTIVE=private"));
      assert.ok(!seen.includes(mcp.value));
      assert.equal(Deno.readTextFileSync(`${project}/sockets`), "kept\n");
      assert.equal(Deno.readTextFileSync(`${project}/files`), "kept\nclosed\n");
      assert.deepEqual(mcp.filesWithValue(), []);
      assert.deepEqual(mcp.world.runs(), []);
    });
  }
}

Deno.test("after a launch whose services cannot start, what the user changes by hand stops nothing", async () => {
  await using mcp = await McpWorld.open();
  mcp.declare(`
[sandbox]
enabled = true
[mcp.web]
type = "http"
url = "https://mcp.example/mcp"
headers = { Authorization = "Bearer \${secret:${KEY}}" }
`);
  const { aenv, project } = mcp.world;
  const words = ["exec", "-E", "private", "--", "/bin/true"];
  const call = { cwd: project, env: mcp.env };
  Deno.writeTextFileSync(`${project}/.envrc`, "one");
  await aenv.must(words, call);
  const failed = await aenv.run(words, {
    ...call,
    env: { ...mcp.env, SSL_CERT_FILE: project },
  });
  assert.equal(failed.code, 3, failed.stderr);
  assert.match(failed.stderr, /it is a directory/);
  Deno.writeTextFileSync(`${project}/.envrc`, "two");
  await aenv.must(words, call);
});
