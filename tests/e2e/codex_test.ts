/** The real Codex in an env: what is its own, what a session may leave behind, and how it is started. */
import assert from "node:assert/strict";
import { mcpServerOf, writeText } from "../support/claude_items.ts";
import type { CodexStep } from "../support/stub_responses.ts";
import { FINAL_ANSWER } from "../support/stub_api.ts";
import { Tmux } from "../support/tmux.ts";
import { CodexWorld } from "./codex_world.ts";

const CONFINED = "[sandbox]\nenabled = true";
const FREE = "[sandbox]\nenabled = false";

/** An unprivileged user's world. */
function open(
  lines: string,
  steps: (world: { readonly home: string }) => readonly CodexStep[] = () => [],
): Promise<CodexWorld> {
  return CodexWorld.open({ user: "somebody", steps, lines: () => lines });
}

/** Settings that ask for a sandbox of Codex's in both ways. */
const ASKS =
  'sandbox_mode = "workspace-write"\ndefault_permissions = ":workspace"\n';
const START = ["codex", "exec", "--skip-git-repo-check"];

/** Runs a session to its end. */
async function session(
  world: CodexWorld,
  words: readonly string[] = START,
): Promise<string> {
  const { code, stdout, stderr } = await world.type([...words, "hello"]);
  assert.equal(code, 0, stdout + stderr);
  return stderr;
}

function configOf({ slot }: CodexWorld): string {
  return Deno.readTextFileSync(`${slot}/codex/config.toml`);
}

Deno.test("what a session leaves where it would steer the next one stops the next start", async () => {
  await using world = await open(CONFINED, () => [{
    bash: `cd "$CODEX_HOME"; echo EVIL > AGENTS.md; mkdir -p skills/evil rules
printf -- '---\\nname: evil\\ndescription: EVIL\\n---\\n' > skills/evil/SKILL.md
echo 'prefix_rule(["rm"], "allow")' > rules/default.rules; echo '{}' > hooks.json
mkdir -p ~/work/project/.agents/skills; cp -r skills/evil ~/work/project/.agents/skills`,
  }]);
  await session(world);
  const next = await world.type([...START, "hello"]);
  assert.equal(next.code, 3, next.stderr);
  const { stdout } = await world.type(["aenv", "sandbox", "review"]);
  for (const name of ["AGENTS.md", "hooks.json", "skills", "rules"]) {
    assert.match(stdout, new RegExp(`codex/${name}`));
  }
  assert.match(stdout, /\.agents/);
  await world.must(["sandbox", "review", "--revert"]);
  const requests = world.stub.requests.length;
  await session(world);
  const sent = world.stub.requests.slice(requests)[0]!.body;
  assert.ok(!sent.includes("EVIL"));
});

Deno.test("what a session writes into Codex's settings is gone at the next start, and said", async () => {
  const evil = 'model = "evil"\\nsandbox_mode = "read-only"\\n' +
    '[mcp_servers.evil]\\ncommand = "evil"\\n';
  await using world = await open(CONFINED, () => [{
    bash:
      `cd "$CODEX_HOME"; printf '${evil}' > config.toml; echo evil > models_cache.json`,
  }]);
  await session(world);
  const said = await session(world, [...START, "-m", "gpt-6.1-sol"]);
  assert.match(said, /without "mcp_servers", "model" of an earlier session/);
  assert.match(said, /envs\/box\/codex\.toml/);
  assert.match(said, /sandbox: danger-full-access/);
});

Deno.test("a link in the place of Codex's settings is replaced, and what it leads to is not read", async () => {
  await using world = await open(CONFINED, ({ home }) => [{
    bash: `cd "$CODEX_HOME"; ln -sf ${home}/.codex/config.toml config.toml`,
  }]);
  await session(world);
  assert.ok(Deno.lstatSync(`${world.slot}/codex/config.toml`).isSymlink);
  const next = await world.type(["codex", "--version"]);
  assert.equal(next.code, 0, next.stderr);
  assert.ok(!configOf(world).includes("USERS-"));
  const own = Deno.readTextFileSync(`${world.home}/.codex/config.toml`);
  assert.match(own, /^model = "USERS-MODEL"\n/);
});

Deno.test("Codex that a project brings is started as confined, and without its own sandbox", async () => {
  await using world = await open(CONFINED, () => [
    { bash: "cat ~/.ssh/id_rsa; cat ~/.codex/auth.json" },
  ]);
  const bin = `${world.project}/node_modules/.bin`;
  Deno.mkdirSync(bin, { recursive: true });
  Deno.symlinkSync(world.agent, `${bin}/codex`);
  world.own();
  const said = await session(world, [
    ...["aenv", "exec", "--", "npx", "--no-install"],
    ...START,
  ]);
  assert.match(said, /sandbox: danger-full-access/);
  assert.match(world.stub.results()[0]!, /denied.*denied/s);
});

Deno.test("a login inside belongs to the env", async () => {
  await using world = await open(CONFINED);
  const before = Deno.readTextFileSync(`${world.home}/.codex/auth.json`);
  const words = ["aenv", "exec", "--", "codex", "login", "--with-api-key"];
  const done = await world.type(words, { stdin: "sk-proj-OF-THIS-ENV\n" });
  assert.equal(done.code, 0, done.stderr);
  const kept = Deno.readTextFileSync(`${world.slot}/codex/auth.json`);
  assert.match(kept, /sk-proj-OF-THIS-ENV/);
  const own = Deno.readTextFileSync(`${world.home}/.codex/auth.json`);
  assert.equal(own, before);
});

Deno.test("without a sandbox around it Codex keeps its own, and sees nothing of the user's own all the same", async () => {
  await using world = await open(CONFINED);
  assert.match(await session(world), /sandbox: danger-full-access/);
  const manifest = `${world.slot}/aenv.toml`;
  const text = Deno.readTextFileSync(manifest);
  writeText(manifest, text.replace(CONFINED, FREE));
  world.own();
  const said = await session(world);
  assert.match(said, /sandbox: (workspace-write|read-only)/);
  assert.ok(!configOf(world).includes("sandbox_mode"));
  assert.ok(!world.stub.sent().includes("USERS-"));
});

Deno.test("the project's instructions and skills come in unless the env says otherwise, and its servers only when trusted", async () => {
  for (const [rule, comes] of [["load", true], ["ignore", false]] as const) {
    await using world = await open(`project_config = "${rule}"\n${CONFINED}`);
    const skill = (name: string) =>
      `---\nname: ${name}\ndescription: PROJECTS-${name}\n---\n`;
    for (
      const [name, text] of [
        ["AGENTS.md", "PROJECTS-INSTRUCTIONS\n"],
        [".agents/skills/one/SKILL.md", skill("one")],
        [".codex/skills/two/SKILL.md", skill("two")],
        [".codex/config.toml", '[mcp_servers.projects]\ncommand = "x"\n'],
      ] as const
    ) writeText(`${world.project}/${name}`, text);
    world.own();
    await session(world);
    const sent = world.stub.sent();
    for (const name of ["INSTRUCTIONS", "one", "two"]) {
      assert.equal(
        sent.includes(`PROJECTS-${name}`),
        comes,
        `${rule}: ${name}`,
      );
    }
    const servers = await world.type(["codex", "mcp", "list"]);
    assert.ok(!servers.stdout.includes("projects"), servers.stdout);
  }
});

Deno.test("no file chooses Codex's own sandbox inside ours: not the env's, no profile, and not a trusted project's", async () => {
  await using world = await open(CONFINED);
  const trust = `[projects."${world.project}"]\ntrust_level = "trusted"\n`;
  const own = `${world.home}/.codex/config.toml`;
  writeText(own, Deno.readTextFileSync(own) + trust);
  writeText(`${world.slot}/codex/mine.config.toml`, ASKS);
  writeText(`${world.project}/.codex/config.toml`, ASKS);
  const kept = `${world.slot}/codex.toml`;
  writeText(kept, ASKS + Deno.readTextFileSync(kept));
  world.own();
  for (const words of [START, ["codex", "-p", "mine", ...START.slice(1)]]) {
    assert.match(await session(world, words), /sandbox: danger-full-access/);
  }
});

Deno.test("a second sandbox is refused, inside and out", async () => {
  await using world = await open(CONFINED);
  const asked = [
    ["codex", "exec", "-s", "read-only", "hello"],
    ["codex", "--sandbox=workspace-write", "exec", "hello"],
    ["codex", "exec", "--full-auto", "hello"],
    ["codex", "-c", 'sandbox_mode="read-only"', "exec", "hello"],
    ["codex", "exec", "-sread-only", "hello"],
    ["codex", "-csandbox_mode=read-only", "exec", "hello"],
    ["codex", "exec", "-c", 'default_permissions=":workspace"', "hello"],
    ["codex", "sandbox", "--", "ls"],
    ["aenv", "exec", "--", "codex", "exec", "-s", "read-only", "hello"],
  ];
  for (const words of asked) {
    const { code, stderr } = await world.type(words);
    assert.equal(code, 3, words.join(" "));
    assert.match(stderr, /its own sandbox cannot work inside/);
  }
  assert.equal(world.stub.requests.length, 0);
});

Deno.test("a server that needs a secret gets it, and Codex does not", async () => {
  const { command, args } = mcpServerOf("vault", ".");
  const [script] = args;
  const read = script!.replace(/\/[^/]*$/, "");
  await using world = await open(
    `[sandbox]
enabled = true
paths = ["${read}:ro"]
[mcp.vault]
command = "${command}"
args = ["${script}", "vault", "."]
env = { VAULT_TOKEN = "\${secret:vault}" }
[mcp.web]
type = "http"
url = "http://127.0.0.1:1/"
headers = { Authorization = "Bearer \${secret:vault}" }`,
    () => [
      { tool: "mcp__vault__ping", input: {} },
      { bash: "env; cat /proc/*/environ | tr '\\0' '\\n'" },
    ],
  );
  const env = { AENV_SECRET_BACKEND: "file" };
  const words = ["aenv", "secrets", "add", "vault", "-"];
  const added = await world.type(words, { env, stdin: "THE-VAULT-VALUE" });
  assert.equal(added.code, 0, added.stderr);
  const done = await world.type([...START, "hello"], { env });
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stderr, /none of: MCP server web \(it needs a secret/);
  assert.match(world.stub.results()[0]!, /pong from vault/);
  assert.match(world.read("vault"), /^VAULT_TOKEN=THE-VAULT-VALUE$/m);
  assert.ok(!world.stub.sent().includes("THE-VAULT-VALUE"));
});

Deno.test("the sandbox of one agent starts no other one", async () => {
  await using world = await open(CONFINED);
  const words = ["aenv", "exec", "--", "sh", "-c"];
  const claude = await world.type([...words, "claude -p; codex --version"]);
  assert.match(claude.stderr, /"claude": this sandbox was made for codex/);
  assert.match(claude.stdout, /^codex-cli/);
  const hidden = await world.type([...words, "x=codex; $x --version"]);
  assert.match(hidden.stderr, /"codex": this sandbox was made for claude/);
});

Deno.test("Codex on a terminal starts without a question, answers, and can be started again", async () => {
  // The terminal is of the user who runs the tests.
  const user = Deno.uid() === 0 ? "root" : "somebody";
  await using world = await CodexWorld.open({ user });
  await using tmux = await Tmux.open({ cwd: world.project, env: world.env });
  for (const _ of ["first", "again"]) {
    await tmux.start("codex");
    await tmux.waitForLine(/Ask Codex to do anything/);
    await tmux.type("hello");
    await tmux.waitForLine(new RegExp(FINAL_ANSWER));
    await tmux.type("/quit");
    assert.equal(await tmux.exitCode(), 0);
    await tmux.start("clear");
    await tmux.exitCode();
  }
  const names = [...Deno.readDirSync(`${world.slot}/codex`)]
    .map(({ name }) => name);
  // A server in the background would have copied the program.
  assert.ok(!names.includes("packages"), names.join(" "));
});
