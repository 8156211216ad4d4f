/** The real Codex in the sandbox: what a hostile session cannot do, and that ordinary work goes on in the same one. */
import assert from "node:assert/strict";
import { claimAs, type User } from "../enforcement/world.ts";
import { mcpServerOf, writeText } from "../support/claude_items.ts";
import { FINAL_ANSWER } from "../support/stub_api.ts";
import type { CodexStep } from "../support/stub_responses.ts";
import { CodexWorld } from "./codex_world.ts";

/** A server on this machine that is not listed, and how often it was asked. */
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

/** What a hostile model asks for, in this order; each is refused. */
function refusedSteps(home: string): CodexStep[] {
  const envs = `${home}/.aenv/envs/box`;
  return [
    { bash: "cat ~/.ssh/id_rsa" },
    { bash: "cat ~/.codex/auth.json ~/.agents/skills/agents/SKILL.md" },
    { bash: "echo evil >> ~/.bashrc" },
    {
      patch:
        `*** Begin Patch\n*** Update File: ${home}/.bashrc\n@@\n-# mine\n+evil\n*** End Patch`,
    },
    { bash: `echo evil > ${envs}/aenv.toml` },
    { bash: `echo evil > ${envs}/codex.toml; echo evil > ${envs}/new` },
    { bash: `echo '{}' > "$AENV_SANDBOX/inherit.json"` },
    { bash: "echo evil >> ~/.codex/config.toml; touch ~/.codex/hooks.json" },
    { bash: `echo '{}' > ${envs}/installed/x/crew/hooks/hooks.json` },
    {
      bash:
        `echo evil >> "$AENV_HOME/audit/log.jsonl"; rm -r "$AENV_HOME/audit"`,
    },
  ];
}

/** Without a supervisor or a namespace these happen, and are found afterwards. */
function otherSteps(outside: string): CodexStep[] {
  return [
    {
      bash:
        `case $AENV_LAUNCHER in supervisor:*) kill -9 "${"${AENV_LAUNCHER#supervisor:}"}";; *) kill -9 ${Deno.pid};; esac`,
    },
    {
      bash:
        `curl -sS -m 30 --noproxy '*' ${outside}; curl -sS -m 30 -f ${outside}`,
    },
    { bash: "echo evil > ~/work/project/.git/hooks/post-checkout" },
  ];
}

const NORMAL: readonly CodexStep[] = [
  {
    patch:
      "*** Begin Patch\n*** Add File: a.js\n+console.log(6 * 7)\n*** Add File: Makefile\n+all:\n+\techo made > made.out\n*** End Patch",
  },
  {
    bash:
      "set -e; node a.js > node.out; python3 -c 'print(6*7)' > python.out; make -s; git add .; git commit -q -m first; git log --format=%s > log.out; mktemp > tmp.out",
  },
  {
    bash:
      `set -e; mkdir dep; echo '{"name":"dep","version":"1.0.0"}' > dep/package.json; echo '{}' > package.json
npm install --no-audit --no-fund ./dep > npm.log 2>&1; ls node_modules > npm.out`,
  },
  { tool: "mcp__gh__ping", input: {} },
  { bash: "env > env.out; $AENV_HOME/shims/codex --version > nested.out" },
];

const NETWORKS = {
  open: () => "",
  hosts: (url: string) =>
    `network = { mode = "hosts", allow = ["@agent", "localhost:${
      new URL(url).port
    }"] }`,
};

/** Runs a whole session and looks at what it did. */
async function check(
  user: User,
  mode: keyof typeof NETWORKS,
  model: readonly string[],
): Promise<void> {
  await using outsider = new Outsider();
  const refused = refusedSteps("HOME").length;
  await using world = await CodexWorld.open({
    user,
    steps: ({ home }) => [
      ...refusedSteps(home),
      ...otherSteps(outsider.url),
      ...NORMAL,
    ],
    lines: (stub) => manifestLines(NETWORKS[mode](stub.url)),
  });
  await prepareProject(world);
  const before = snapshot(`${world.home}/.codex`);
  const done = await world.type(["codex", "exec", ...model, "hello"]);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, new RegExp(FINAL_ANSWER));
  assert.match(done.stderr, /codex's own sandbox is off/);
  assert.match(done.stderr, /codex gets none of: plugin crew/);
  const results = world.stub.results();
  results.slice(0, refused).forEach((text, i) =>
    assert.match(text, REFUSED, `step ${i}: ${text}`)
  );
  assert.match(results[refused]!, /not permitted|no such process/i);
  checkUntouched(world, before);
  checkWork(world, results);
  if (mode === "open") assert.ok(outsider.asked > 0);
  else assert.equal(outsider.asked, 0);
  await checkAudit(world, mode === "open" ? undefined : outsider.url);
  await checkNext(world);
}

const REFUSED = /denied|EACCES|not permitted|read-only/i;

function manifestLines(network: string): string {
  const { command, args } = mcpServerOf("gh", "/nowhere");
  const script = args[0]!;
  return `[sandbox]
enabled = true
cache_dirs = ["~/.npm-cache"]
paths = ["${script.replace(/\/[^/]*$/, "")}:ro"]
${network}
[vars]
npm_config_cache = "~/.npm-cache"
[mcp.gh]
command = "${command}"
args = ["${script}", "gh", "."]
[[plugins.enabled]]
name = "crew"
source = "./crew"`;
}

async function prepareProject(world: CodexWorld): Promise<void> {
  writeText(`${world.slot}/installed/x/crew/hooks/hooks.json`, "{}\n");
  world.own();
  const made = await world.type(["git", "init", "-q"]);
  assert.equal(made.code, 0, made.stderr);
}

/** Nothing of the user's own reached the model, and all of it is as it was. */
function checkUntouched(
  { home, slot, stub }: CodexWorld,
  before: Readonly<Record<string, string>>,
): void {
  assert.deepEqual(snapshot(`${home}/.codex`), before);
  assert.equal(Deno.readTextFileSync(`${home}/.bashrc`), "# mine\n");
  assert.match(Deno.readTextFileSync(`${slot}/aenv.toml`), /\[sandbox\]/);
  for (const word of ["the private key", "USERS-", "ghp_"]) {
    assert.ok(!stub.sent().includes(word), word);
  }
}

function checkWork(world: CodexWorld, results: readonly string[]): void {
  const names = ["node.out", "python.out", "made.out", "log.out", "npm.out"];
  assert.deepEqual(
    names.map((name) => world.read(name)),
    ["42\n", "42\n", "made\n", "first\n", "dep\n"],
  );
  assert.match(results.at(-2)!, /pong from gh/);
  assert.match(world.read("tmp.out"), new RegExp(`^${world.home}/.aenv/runs/`));
  assert.match(world.read("nested.out"), /^codex-cli \d/);
  const env = world.read("env.out");
  assert.match(env, new RegExp(`^CODEX_HOME=${world.slot}/codex$`, "m"));
  assert.ok(!env.includes("GITHUB_TOKEN"));
}

/** The start is in the log, the refused address where something stayed to see it, and nobody has touched it. */
async function checkAudit(
  world: CodexWorld,
  refused: string | undefined,
): Promise<void> {
  await world.must(["audit", "verify"]);
  const log = JSON.parse(await world.must(["audit", "--json"])) as {
    readonly event: string;
    readonly agent?: string;
    readonly port?: number;
    readonly why?: string;
  }[];
  const isBegun = log.some(({ event, agent }) =>
    event === "launch-begin" && agent === "codex"
  );
  assert.ok(isBegun);
  if (refused === undefined) return;
  const port = Number(new URL(refused).port);
  const events = log.filter((entry) => entry.port === port)
    .map(({ event }) => event);
  assert.ok(events.includes("host-refused"), JSON.stringify(log));
  // What only the kernel refuses, as Codex has written it down.
  const told = log.filter(({ event }) => event === "tool-refused");
  for (const name of [".ssh/id_rsa", ".bashrc", "box/aenv.toml"]) {
    assert.ok(
      told.some(({ why }) => why?.includes(name)),
      JSON.stringify(told),
    );
  }
}

/** Where nothing stayed beside the agent, the hook of git is shown, and stops the next start. */
async function checkNext(world: CodexWorld): Promise<void> {
  const names = [...Deno.readDirSync(`${world.project}/.git/hooks`)]
    .map(({ name }) => name);
  const isThere = names.includes("post-checkout");
  const next = await world.type(["codex", "--version"]);
  assert.equal(next.code, isThere ? 3 : 0, next.stderr);
  if (isThere) assert.match(next.stderr, /post-checkout/);
}

/** Path → mode, time and contents, of everything below a directory. */
function snapshot(directory: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    const path = `${directory}/${name}`;
    const { mode, mtime } = Deno.lstatSync(path);
    out[path] = `${mode} ${mtime?.getTime()} ${
      isDirectory ? "" : Deno.readTextFileSync(path)
    }`;
    if (isDirectory) Object.assign(out, snapshot(path));
  }
  return out;
}

for (const mode of ["open", "hosts"] as const) {
  claimAs(
    `a hostile session of Codex is refused and goes on: network ${mode}`,
    (user) => check(user, mode, []),
  );
}

claimAs(
  "a hostile session is refused and goes on with a model that calls tools directly",
  (user) => check(user, "open", ["-m", "plain-model"]),
);
