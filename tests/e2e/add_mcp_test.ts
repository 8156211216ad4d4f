/** `aenv add mcp` takes what `claude mcp add` takes: the agent's own examples, and what people type like them. */

import assert from "node:assert/strict";
import { parseManifest } from "../../src/manifest/mod.ts";
import { Aenv, bareEnv } from "../support/aenv.ts";
import {
  type ClaudeProgram,
  claudePrograms,
  repositoryRoot,
} from "../support/agents.ts";
import { run } from "../support/process.ts";
import { TempDir } from "../support/temp.ts";
import { Tmux } from "../support/tmux.ts";

/** Lines as they stand in READMEs of servers. */
const LINES = [
  "claude mcp add playwright npx @playwright/mcp@latest",
  "claude mcp add context7 -- npx -y @upstash/context7-mcp",
  "claude mcp add --transport sse linear https://mcp.linear.app/sse",
  "claude mcp add -t http notion https://mcp.notion.com/mcp -s user",
  "claude mcp add --scope project --transport http hub https://x.example/mcp",
  "claude mcp add fs -s local -- npx -y @modelcontextprotocol/server-filesystem /tmp/a '/tmp/b c'",
  `claude mcp add db -e MODE=ro LEVEL=2 -- npx -y db --dsn "x=1;y='2'"`,
  "claude mcp add --env MODE=a=b -t stdio two -- sh -c 'exec node -e \"process.exit(0)\"'",
  "claude mcp add three -eMODE=1 --env=LEVEL= -- node ./s.js --transport http -e K=v",
  `claude mcp add --transport http four https://x.example/mcp -H "X-Mode: a: b" "X-Level: 2"`,
  `claude mcp add -t streamable-http five https://x.example/a?b=1 --header "X-Mode:c"`,
  "claude mcp add add node",
] as const;

/** The examples in the help of the agent, one line each. */
async function examples(agent: ClaudeProgram): Promise<string[]> {
  using temp = new TempDir();
  const { stdout } = await run(agent.path, ["mcp", "add", "--help"], {
    env: bareEnv(temp.path, agent),
    cwd: temp.path,
  });
  // Long ones are wrapped.
  const [, block = ""] = /Examples:\n([^]*?)\nOptions:/.exec(stdout) ?? [];
  const lines = block.replace(/\n(?=--?\w)/g, " ").split("\n")
    .map((line) => line.trim());
  return lines.filter((line) => line.startsWith("claude mcp add"));
}

/** What the agent has after a line, by name. */
async function agentServers(
  line: string,
  agent: ClaudeProgram,
): Promise<Record<string, unknown>> {
  using temp = new TempDir();
  const env = bareEnv(temp.path, agent);
  const cwd = `${temp.path}/w`;
  Deno.mkdirSync(cwd);
  const { code, stderr } = await run("/bin/sh", ["-c", line], { env, cwd });
  assert.equal(code, 0, `${line}\n${stderr}`);
  const found: Record<string, unknown> = {};
  for (const path of [`${temp.path}/.claude.json`, `${cwd}/.mcp.json`]) {
    const text = readOrNone(path);
    if (text === undefined) continue;
    const { mcpServers, projects } = JSON.parse(text);
    Object.assign(found, mcpServers, projects?.[cwd]?.mcpServers);
  }
  return found;
}

function readOrNone(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A home with a named env `w` that is active, and secrets in a file. */
class World implements Disposable {
  readonly #temp = new TempDir();
  readonly home = this.#temp.path;
  readonly cwd = `${this.home}/w`;
  readonly aenv: Aenv;
  readonly manifest = `${this.home}/.aenv/envs/w/aenv.toml`;

  private constructor(agent: ClaudeProgram) {
    Deno.mkdirSync(this.cwd);
    const env = { AENV: "w", AENV_SECRET_BACKEND: "file" };
    this.aenv = new Aenv({ home: this.home, cwd: this.cwd, agent, env });
  }

  /** `words` follow `aenv new w`. */
  static async make(
    agent = claudePrograms()[0],
    ...words: readonly string[]
  ): Promise<World> {
    const world = new World(agent);
    await world.aenv.must(["init", "--no-default"]);
    await world.aenv.must(["new", "w", ...words]);
    return world;
  }

  /** Runs a line of a shell. */
  sh(line: string, env: Record<string, string> = {}) {
    return run("/bin/sh", ["-c", line], {
      env: { ...this.aenv.env, ...env },
      cwd: this.cwd,
    });
  }

  get text(): string {
    return Deno.readTextFileSync(this.manifest);
  }

  /** The servers in the form of the agent. */
  servers(): Record<string, unknown> {
    const { mcp } = parseManifest(this.text, "m");
    return Object.fromEntries(
      Object.entries(mcp).map(([name, server]) => {
        if (server.type === "stdio") {
          const { type, command, args, env } = server;
          return [name, { type, command, args, env }];
        }
        const { type, url, headers } = server;
        const isBare = Object.keys(headers).length === 0;
        return [name, isBare ? { type, url } : { type, url, headers }];
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }
}

/** The ways to write the agent's line for us. */
const WAYS = ["aenv add mcp", "aenv add mcp add"];

for (const agent of claudePrograms()) {
  Deno.test(`what claude mcp add takes, aenv add mcp takes, and declares the same server (${agent.label})`, async () => {
    const own = await examples(agent);
    assert.ok(own.length >= 4, own.join("\n"));
    for (const [i, line] of [...own, ...LINES].entries()) {
      const expected = await agentServers(line, agent);
      assert.equal(Object.keys(expected).length, 1, line);
      using world = await World.make();
      const isNamedAdd = line.includes("mcp add add");
      const way = isNamedAdd ? WAYS[1]! : WAYS[i % 2]!;
      const ours = line.replace("claude mcp add", `${way} --secrets keep`);
      const { code, stderr } = await world.sh(ours);
      assert.equal(code, 0, `${ours}\n${stderr}`);
      assert.deepEqual(world.servers(), expected, ours);
      assert.match(
        Deno.readTextFileSync(world.manifest.replace(".toml", ".lock")),
        new RegExp(`mcp\\.${Object.keys(expected)[0]} = "sha256-`),
      );
    }
  });
}

Deno.test("the agent's examples work as they stand, on a terminal: credentials go to the keyring", async () => {
  const [agent] = claudePrograms();
  using world = await World.make();
  await using tmux = await Tmux.open({ cwd: world.cwd, env: world.aenv.env });
  const done: string[] = [];
  for (const line of await examples(agent)) {
    const name = Object.keys(await agentServers(line, agent))[0]!;
    if (done.includes(name)) await world.aenv.must(["rm", "mcp", name]);
    done.push(name);
    await tmux.start(line.replace("claude mcp add", "aenv add mcp"));
    if (/API_KEY|Authorization/.test(line)) {
      await tmux.waitForLine(/Keep them in the keyring\? \[Y\/n\]/);
      await tmux.keys("Enter");
    }
    assert.equal(await tmux.exitCode(), 0, line);
    if (!/API_KEY|Authorization/.test(line)) continue;
    const text = JSON.stringify(world.servers()[name]);
    assert.match(text, /\$\{secret:/);
    assert.doesNotMatch(text, /xxx|\.\.\./);
  }
});

for (const agent of claudePrograms()) {
  Deno.test(`a server starts in its cwd, and a disabled one does not (${agent.label})`, async () => {
    // A server that writes beside the manifest.
    using world = await World.make(agent, "--no-sandbox");
    const server = `${repositoryRoot()}/tests/support/mcp_server.mjs`;
    const directory = world.manifest.replace("/aenv.toml", "/it's here");
    Deno.mkdirSync(directory);
    Deno.copyFileSync(server, `${directory}/server.mjs`);
    const declared = {
      near: {
        command: "node",
        args: ["./server.mjs", "near", "."],
        cwd: "it's here",
      },
      off: { command: "no-such-program", disabled: true },
    };
    await world.aenv.must(["add", "mcp", "--json", JSON.stringify(declared)]);
    const report = await world.aenv.must(["verify"]);
    assert.match(report, /near/);
    assert.doesNotMatch(report, /\boff\b/);
    assert.ok(Deno.statSync(`${directory}/near`).isFile);
  });
}

Deno.test("a no to the keyring and to plain text adds nothing", async () => {
  using world = await World.make();
  const before = world.text;
  await using tmux = await Tmux.open({ cwd: world.cwd, env: world.aenv.env });
  await tmux.start("clear; aenv add mcp a -e API_KEY=abcdef -- node");
  await tmux.waitForLine(/\[Y\/n\]/);
  await tmux.type("n");
  await tmux.waitForLine(/plain text\? \[y\/N\]/);
  await tmux.keys("Enter");
  assert.equal(await tmux.exitCode(), 1);
  assert.equal(world.text, before);
  await tmux.start("clear; aenv add mcp a -e API_KEY=abcdef -- node");
  await tmux.waitForLine(/\[Y\/n\]/);
  await tmux.type("n");
  await tmux.waitForLine(/plain text\? \[y\/N\]/);
  await tmux.type("y");
  assert.equal(await tmux.exitCode(), 0);
  assert.match(world.text, /env = \{ API_KEY = "abcdef" \}/);
});

const TOKEN = "s3cr3t-value-of-the-token";

Deno.test("a credential is refused where nobody can be asked, and its value is shown nowhere", async () => {
  using world = await World.make();
  const before = world.text;
  const lines = [
    `aenv add mcp a -e GITHUB_TOKEN=${TOKEN} -- node`,
    `aenv add mcp a --json -e GITHUB_TOKEN=${TOKEN} -- node`,
    `aenv add mcp --secrets refuse a -e GITHUB_TOKEN=${TOKEN} -- node`,
    `aenv add mcp -t http a https://x/?GITHUB_TOKEN=${TOKEN}`,
    `aenv add mcp a -- node --github-token ${TOKEN} --GITHUB_TOKEN`,
  ];
  for (const line of lines) {
    const { code, stdout, stderr } = await world.sh(line);
    assert.deepEqual([code, stdout], [2, ""], line);
    assert.match(stderr, /looks like a credential\n {2}.*--secrets keyring/);
    assert.match(stderr, /github.token/i, line);
    assert.doesNotMatch(stderr, /s3cr3t/, line);
  }
  assert.equal(world.text, before);
});

Deno.test("a credential goes to the keyring, and only there", async () => {
  using world = await World.make();
  for (const more of ["--dry-run", "--dry-run --json", "--json"]) {
    const { code, stdout, stderr } = await world.sh(
      `aenv add mcp --secrets keyring ${more} a -e GITHUB_TOKEN=${TOKEN} -- node`,
    );
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout + stderr, /s3cr3t/);
    assert.match(stdout, /a-GITHUB_TOKEN/);
    assert.equal(/GITHUB_TOKEN/.test(world.text), !more.includes("dry"), more);
  }
  assert.match(world.text, /GITHUB_TOKEN = "\$\{secret:a-GITHUB_TOKEN\}"/);
  const holders = filesWith(world.home, TOKEN);
  assert.equal(holders.length, 1, holders.join("\n"));
  assert.match(await world.aenv.must(["secrets", "list"]), /^a-GITHUB_TOKEN /m);
});

Deno.test("a credential is taken away again when the manifest cannot be written", async () => {
  using world = await World.make();
  // What it also declares cannot be installed.
  const broken =
    `${world.text}\n[[skills.enabled]]\nname = "s"\nsource = "./gone"\n`;
  Deno.writeTextFileSync(world.manifest, broken);
  const { code, stderr } = await world.sh(
    `aenv add mcp --secrets keyring a -e GITHUB_TOKEN=${TOKEN} -- node`,
  );
  assert.equal(code, 1, stderr);
  assert.match(stderr, /gone/);
  assert.equal(world.text, broken);
  assert.deepEqual(filesWith(world.home, TOKEN), []);
  assert.doesNotMatch(await world.aenv.must(["secrets", "list"]), /GITHUB/);
});

Deno.test("a key that is kept already is not written over", async () => {
  using world = await World.make();
  await world.aenv.must(["secrets", "add", "a-API_KEY", "-"], { stdin: "old" });
  await world.sh(
    "aenv add mcp --secrets keyring a -e API_KEY=new-value -- node",
  );
  assert.match(world.text, /\$\{secret:a-API_KEY-2\}/);
});

/** Files below a directory that hold a text. */
function filesWith(dir: string, text: string): string[] {
  return [...Deno.readDirSync(dir)].flatMap((entry) => {
    const path = `${dir}/${entry.name}`;
    if (entry.isDirectory) return filesWith(path, text);
    if (!entry.isFile) return [];
    const bytes = new TextDecoder("latin1").decode(Deno.readFileSync(path));
    return bytes.includes(text) || bytes.includes(btoa(text)) ? [path] : [];
  });
}
