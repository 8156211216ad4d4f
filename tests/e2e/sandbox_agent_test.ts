/** The real Claude Code in the sandbox: what a hostile session cannot do, and that ordinary work goes on in the same one. */
import assert from "node:assert/strict";
import { claudePrograms } from "../support/agents.ts";
import { mcpServerOf, writePlugin } from "../support/claude_items.ts";
import { run } from "../support/process.ts";
import type { Step } from "../support/stub_api.ts";
import { TempDir } from "../support/temp.ts";
import { type Launcher, World } from "./agent_world.ts";

const STREAM = ["-p", "hello", "--output-format", "stream-json", "--verbose"];
const TOOLS = "--allowedTools=Bash,Read,Write,Edit,Glob,Grep,mcp__gh";

/** A server on this machine that is not listed, and what asked it. */
class Outsider implements AsyncDisposable {
  asked = 0;
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => {
      this.asked += 1;
      return new Response("outside");
    },
  );

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** What a hostile model asks for, in this order, before it does ordinary work. */
function hostileSteps(root: string, outside: string): Step[] {
  const home = `${root}/home`;
  const run =
    `run=$(tr '\\0' '\\n' < /proc/$PPID/cmdline | sed -n 's,^--settings=\\(.*\\)/settings.json,\\1,p')`;
  return [
    { tool: "Read", input: { file_path: `${home}/.ssh/id_rsa` } },
    { bash: `cat ~/.ssh/id_rsa` },
    { bash: `echo evil >> ~/.bashrc` },
    { bash: `echo evil > "$AENV_HOME/envs/$AENV/aenv.toml"` },
    { bash: `${run}; echo '{}' > "$run/settings.json"` },
    {
      bash:
        `file=$(find "$AENV_HOME/envs/$AENV/installed" -name hooks.json); echo '{}' > "$file"; rm -f "$file"; ls "$file"; exit 1`,
    },
    {
      bash:
        `curl -sS -m 30 --noproxy '*' ${outside}; curl -sS -m 30 -f ${outside}`,
    },
    {
      bash:
        `case $AENV_LAUNCHER in supervisor:*) kill -9 ${"${AENV_LAUNCHER#supervisor:}"};; *) kill -9 ${Deno.pid};; esac`,
    },
    { bash: `echo evil > ~/work/project/.git/hooks/post-checkout` },
  ];
}

const NORMAL: readonly Step[] = [
  {
    bash:
      `set -e; cd ~/work/project; echo 'console.log(6*7)' > a.js; node a.js > node.out
python3 -c 'print(6*7)' > python.out; git add . ; git commit -q -m first; git log --format=%s > log.out
claude --version > nested.out`,
  },
  { tool: "mcp__gh__ping", input: {} },
  { bash: `mktemp > ~/work/project/tmp.out` },
];
const NETWORKS = {
  open: () => "",
  hosts: (url: string) =>
    `network = { mode = "hosts", allow = ["localhost:${new URL(url).port}"] }`,
};

/** The texts of tool results in a stream, in order. */
function resultsIn(stdout: string): string[] {
  return stdout.split("\n").filter((line) => line.includes('"tool_result"'))
    .map((line) => JSON.parse(line))
    .flatMap(({ message }) =>
      message.content.filter(({ type }: { type: string }) =>
        type === "tool_result"
      )
    ).map(({ content }) =>
      typeof content === "string"
        ? content
        : content.map(({ text }: { text: string }) => text).join("")
    );
}

/** A user with secrets, and an env with a plugin and a server, whose sandbox has `lines`. */
function furnish(
  world: World,
  isolation: "private" | "overlay",
  lines: string,
) {
  const write = (path: string, text: string) => {
    Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(path, text);
  };
  write(`${world.home}/.ssh/id_rsa`, "the private key\n");
  write(`${world.home}/.bashrc`, "# mine\n");
  const plugin = `${world.root}/plugin`;
  writePlugin(plugin, "crew", {
    tokens: { skill: "crew-skill", hook: "crew-hook" },
    marks: world.project,
  });
  const { command, args } = mcpServerOf("gh", world.project);
  world.writeEnv(
    isolation,
    `isolation = "${isolation}"
[vars]
# The agent waits for its servers.
MCP_CONNECTION_NONBLOCKING = "0"
[sandbox]
enabled = true
paths = ["${args[0]!.replace(/\/[^/]*$/, "")}:ro"]
${lines}
[mcp.gh]
command = "${command}"
args = ${JSON.stringify(args)}
[[plugins.enabled]]
name = "crew"
source = "${plugin}"`,
  );
  const git = (...args: string[]) =>
    new Deno.Command("git", {
      args: ["-C", world.project, ...args],
      env: { HOME: world.home },
    }).outputSync();
  git("init", "-q");
  git("config", "user.email", "a@b");
  git("config", "user.name", "a");
}

/** Runs a whole session and looks at what it did. */
async function check(
  isolation: "private" | "overlay",
  { agent, mode, user }: {
    readonly agent: World["agent"];
    readonly mode: keyof typeof NETWORKS;
    readonly user: "self" | "nobody";
  },
): Promise<void> {
  await using outsider = new Outsider();
  await using world = await World.open({
    agent,
    steps: ({ root }) => [...hostileSteps(root, outsider.url), ...NORMAL],
  });
  furnish(world, isolation, NETWORKS[mode](world.stub.url));
  const [program, args] = asUser(user, world, isolation);
  const call = {
    env: { ...world.envOf(isolation), IS_SANDBOX: "1" },
    cwd: world.project,
  };
  const finished = await run(program, [...args, ...STREAM, TOOLS], call);
  assert.equal(finished.code, 0, finished.stderr + finished.stdout);
  const results = resultsIn(finished.stdout);
  checkHostile(results, world, isolation);
  assert.equal(results.at(-2), "pong from gh");
  const read = (name: string) =>
    Deno.readTextFileSync(`${world.project}/${name}`);
  assert.deepEqual(
    ["node.out", "python.out", "log.out"].map(read),
    ["42\n", "42\n", "first\n"],
  );
  assert.match(read("nested.out"), /Claude Code/);
  assert.ok(read("tmp.out").startsWith("/"));
  assert.ok(read("crew-hook").includes("AENV_ACTIVE="));
  // Without a supervisor the hook of git is shown, and stops the next start; a supervisor may have a namespace for it.
  const hook = `${world.project}/.git/hooks/post-checkout`;
  const isThere = [...Deno.readDirSync(`${world.project}/.git/hooks`)]
    .some(({ name }) => hook.endsWith(name));
  const next = await run(program, [...args, "--version"], call);
  assert.equal(next.code, isThere ? 3 : 0, next.stderr);
  if (isThere) assert.match(next.stderr, /post-checkout/);
  if (mode === "open") assert.equal(outsider.asked > 0, true);
  else assert.equal(outsider.asked, 0);
}

function checkHostile(
  results: readonly string[],
  world: World,
  isolation: string,
): void {
  const texts = results.slice(0, 9);
  assert.ok(!texts.join().includes("the private key"), texts.join("\n"));
  for (const i of [0, 1, 2, 3, 4, 5]) {
    assert.match(
      texts[i]!,
      /denied|EACCES|not permitted|read-only|permission/i,
    );
  }
  assert.match(texts[7]!, /not permitted|no such process/i);
  const { home, aenv } = world;
  assert.equal(Deno.readTextFileSync(`${home}/.bashrc`), "# mine\n");
  const manifest = `${aenv.root}/envs/${isolation}/aenv.toml`;
  assert.ok(Deno.readTextFileSync(manifest).includes("[sandbox]"));
}

function asUser(
  user: "self" | "nobody",
  world: World,
  launcher: Launcher,
): [string, string[]] {
  const program = world.programOf(launcher);
  if (user === "self" || Deno.uid() !== 0) return [program, []];
  new Deno.Command("chown", { args: ["-hR", "65534:65534", world.root] })
    .outputSync();
  return ["/usr/bin/setpriv", [
    ...["--reuid=65534", "--regid=65534", "--clear-groups"],
    program,
  ]];
}

for (const agent of claudePrograms()) {
  for (const isolation of ["private", "overlay"] as const) {
    for (const mode of ["open", "hosts"] as const) {
      Deno.test(`a hostile session is refused and goes on: ${isolation}, network ${mode}, Claude Code ${agent.label}`, async () => {
        await check(isolation, { agent, mode, user: "self" });
      });
    }
  }
  for (const mode of ["open", "hosts"] as const) {
    Deno.test(`a hostile session is refused and goes on without rights: network ${mode}, Claude Code ${agent.label}`, async () => {
      using copy = new TempDir();
      Deno.chmodSync(copy.path, 0o755);
      const path = `${copy.path}/claude`;
      Deno.copyFileSync(Deno.realPathSync(agent.path), path);
      Deno.chmodSync(path, 0o755);
      const own = { label: agent.label, directory: copy.path, path };
      await check("private", { agent: own, mode, user: "nobody" });
    });
  }
}
