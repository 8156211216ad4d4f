/** Sandboxes of MCP servers: each has what its own says, and the agent and the servers get at nothing of each other. */
import assert from "node:assert/strict";
import {
  type ClaudeProgram,
  claudePrograms,
  repositoryRoot,
} from "../support/agents.ts";
import type { Step } from "../support/stub_api.ts";
import { TempDir } from "../support/temp.ts";
import { KEY, McpWorld, Session } from "./mcp_world.ts";

/** A server on this machine that says its name. */
class Place implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(name: string) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response(`this is ${name}`),
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

const CURL = "curl -sS -m 30";
const SUPPORT = `${repositoryRoot()}/tests/support`;

/** Whose environments can be read: roles, each once, and `nobody` for processes without one. */
const ENVIRONS =
  "( for dir in /proc/[0-9]*; do tr '\\0' '\\n' < $dir/environ > $TMPDIR/e; [ -s $TMPDIR/e ] && { grep ^ROLE= $TMPDIR/e || echo nobody; }; done; rm $TMPDIR/e ) 2>/dev/null | sort -u";
/** How many other processes let their memory or descriptors be seen. */
const INSIDES =
  "n=0; for dir in /proc/[0-9]*; do [ $dir = /proc/$$ ] && continue; grep -q ROLE=$ROLE $dir/environ 2>/dev/null && continue; head -c 1 $dir/mem >/dev/null 2>&1 && n=$((n+1)); ls $dir/fd/* >/dev/null 2>&1 && n=$((n+1)); done; echo seen $n";

function inServer(name: string, script: string): Step {
  return { tool: `mcp__${name}__run`, input: { script } };
}

/** What is tried, in this order. `b` is the env's host, `a` that of the server `all`. */
function tries(root: string, a: Place, b: Place): readonly Step[] {
  const project = `${root}/home/work/project`;
  const ask = (place: Place) => `${CURL} http://127.0.0.1:${place.port}/`;
  const around = "--noproxy '*'";
  return [
    inServer("all", `${ask(a)}; ${ask(b)}; ${ask(b)} ${around}`),
    inServer("gh", `${ask(b)}; ${ask(a)}; ${ask(a)} ${around}`),
    inServer("old", `${ask(a)} ${around}; ${ask(b)} ${around}; echo $TOKEN`),
    { bash: `${ask(b)}; ${ask(a)}; ${ask(a)} ${around}; echo end` },
    inServer(
      "all",
      `echo x > ${project}/x; cat ${project}/file; ls ${project}`,
    ),
    inServer("gh", `echo $HTTPS_PROXY > ${project}/proxy; cat ${project}/file`),
    inServer("old", `echo x > ${project}/x; cat ${project}/file`),
    // With what the other one's proxy wants to see, at its port and at the own one.
    {
      bash:
        `cd ${project}; theirs=$(cat proxy); login=\${theirs#http://}; login=\${login%@*}
        ${CURL} -x $theirs http://127.0.0.1:${b.port}/; echo code $?
        ${CURL} -x http://$login@\${HTTPS_PROXY#*@} -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:${b.port}/; echo end`,
    },
    inServer("gh", `${ENVIRONS}; ${INSIDES}`),
    inServer("all", `${ENVIRONS}; ${INSIDES}`),
    { bash: ENVIRONS },
    inServer("all", "kill -0 $PPID; kill -0 ${AENV_LAUNCHER#supervisor:}"),
    inServer("gh", "echo mine > $TMPDIR/f; echo $TMPDIR $npm_config_cache"),
    inServer("all", "ls ${TMPDIR%/*/tmp}/gh; ls ${TMPDIR%/tmp} >/dev/null"),
  ];
}

function server(name: string, more: string, secret = true): string {
  const token = secret ? `\${secret:${KEY}}` : "none";
  return `
[mcp.${name}]
command = "node"
args = ["${SUPPORT}/mcp_shell.mjs"]
env = { TOKEN = "${token}", ROLE = "${name}" }
${more}`;
}

/** `all` and `old` have sandboxes of their own, `gh` has the env's. */
function manifest(stub: string, a: Place, b: Place): string {
  const all = `[mcp.all.sandbox]
project = "none"
network = { mode = "hosts", allow = ["localhost:${a.port}"] }`;
  const old = `[mcp.old.sandbox]
project = "read"
network = "none"`;
  const hosts = [`localhost:${new URL(stub).port}`, `localhost:${b.port}`];
  return `
[vars]
MCP_CONNECTION_NONBLOCKING = "0"
[sandbox]
enabled = true
paths = ["${SUPPORT}:ro"]
network = { mode = "hosts", allow = ${JSON.stringify(hosts)} }
${server("all", all)}
${server("gh", "")}
${server("old", old, false)}
`;
}

function checkNetwork(
  [all, gh, old, own]: readonly string[],
  credential: string,
): void {
  assert.match(all!, /^this is a/);
  assert.match(gh!, /^this is b/);
  assert.match(own!, /^this is b/);
  for (const text of [all!, gh!, old!, own!]) {
    assert.equal(text.match(/this is/g)?.length ?? 0, text === old ? 0 : 1);
    assert.match(text, /Could(n't| not) connect/i);
  }
  assert.match(old!, /^none\n/);
  assert.match(credential, /code 7\n407\nend/);
}

function checkFiles([none, whole, read]: readonly string[]): void {
  assert.doesNotMatch(none!, /of the project/);
  assert.match(none!, /denied[^]*denied[^]*denied/);
  assert.match(whole!, /^of the project\nexit 0/);
  assert.match(read!, /^of the project\n[^]*denied[^]*exit 0$/);
}

function checkProcesses(
  [ofGh, ofAll, ofAgent, signals, caches, foreign]: readonly string[],
): void {
  for (const [role, text] of [["gh", ofGh!], ["all", ofAll!]] as const) {
    assert.match(text, new RegExp(`^ROLE=${role}\nseen 0\n`));
  }
  assert.equal(ofAgent, "nobody");
  assert.match(signals!, /not permitted/);
  assert.match(caches!, /server-cache\/gh\/tmp .*server-cache\/gh\/npm/);
  assert.match(foreign!, /denied[^]*exit 0$/);
}

/** Runs a whole session and looks at what everybody got. */
async function check(
  agent: ClaudeProgram,
  as: (root: string) => readonly string[],
): Promise<void> {
  await using a = new Place("a");
  await using b = new Place("b");
  await using mcp = await McpWorld.open({
    agent,
    steps: ({ root }) => tries(root, a, b),
  });
  const { stub, project, root } = mcp.world;
  Deno.writeTextFileSync(`${project}/file`, "of the project\n");
  mcp.declare(manifest(stub.url, a, b));
  const session = new Session(mcp, [], as(root));
  const { code, results, stderr } = await session.finish();
  assert.equal(code, 0, stderr);
  checkNetwork(results.slice(0, 4), results[7]!);
  checkFiles(results.slice(4, 7));
  checkProcesses(results.slice(8));
  assert.deepEqual(mcp.filesWithValue(), []);
  assert.deepEqual(mcp.world.runs(), []);
}

function asNobody(root: string): readonly string[] {
  if (Deno.uid() !== 0) return [];
  new Deno.Command("chown", { args: ["-hR", "65534:65534", root] })
    .outputSync();
  return [
    "/usr/bin/setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
  ];
}

for (const agent of claudePrograms()) {
  Deno.test(`servers reach their own hosts, project and nothing of each other, Claude Code ${agent.label}`, async () => {
    await check(agent, () => []);
  });
  Deno.test(`servers reach nothing of each other without rights, Claude Code ${agent.label}`, async () => {
    using copy = new TempDir();
    Deno.chmodSync(copy.path, 0o755);
    const path = `${copy.path}/claude`;
    Deno.copyFileSync(Deno.realPathSync(agent.path), path);
    Deno.chmodSync(path, 0o755);
    await check({ ...agent, directory: copy.path, path }, asNobody);
  });
}
