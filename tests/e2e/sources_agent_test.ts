/** The real agent gets from our copies of a marketplace's plugins what it gets when it installs them itself. */

import assert from "node:assert/strict";
import { claudePrograms } from "../support/agents.ts";
import { bareEnv } from "../support/aenv.ts";
import { run } from "../support/process.ts";
import { SourceWorld } from "../support/sources/context.ts";
import { writeTree } from "../support/sources/trees.ts";
import { StubApi } from "../support/stub_api.ts";
import {
  fetchSource,
  parseSource,
  resolveSource,
} from "../../src/sources/mod.ts";

/** Skills and commands by the names that the agent lists. */
interface Offered {
  readonly commands: readonly string[];
  readonly servers: readonly string[];
}

const COMMAND = "---\ndescription: says something\n---\nSay something.\n";
const SKILL = "---\nname: NAME\ndescription: does something\n---\nDo it.\n";

function skill(name: string): string {
  return SKILL.replace("NAME", name);
}

const CATALOG = {
  name: "acme",
  owner: { name: "Acme" },
  plugins: [
    { name: "plain", source: "./plain" },
    {
      name: "loose",
      source: "./loose",
      strict: false,
      commands: ["./prompts/one.md"],
      skills: ["./abilities/two"],
      mcpServers: { s: { command: "true" } },
    },
    {
      name: "added",
      source: "./added",
      commands: ["./extra.md"],
      skills: ["./abilities/four"],
    },
    {
      name: "shared-a",
      source: "./",
      strict: false,
      skills: ["./skills/a"],
    },
    {
      name: "shared-b",
      source: "./",
      strict: false,
      skills: ["./skills/b", "./skills/c"],
    },
    { name: "bare", source: "./bare" },
  ],
};

const MARKET = {
  ".claude-plugin/marketplace.json": JSON.stringify(CATALOG),
  "plain/.claude-plugin/plugin.json": '{"name":"plain"}',
  "plain/commands/hello.md": COMMAND,
  "plain/skills/three/SKILL.md": skill("three"),
  "loose/prompts/one.md": COMMAND,
  "loose/abilities/two/SKILL.md": skill("two"),
  "added/.claude-plugin/plugin.json":
    '{"name":"added","commands":["./own.md"]}',
  "added/own.md": COMMAND,
  "added/extra.md": COMMAND,
  "added/abilities/four/SKILL.md": skill("four"),
  "added/skills/five/SKILL.md": skill("five"),
  "skills/a/SKILL.md": skill("a"),
  "skills/b/SKILL.md": skill("b"),
  "skills/c/SKILL.md": skill("c"),
  "bare/commands/hey.md": COMMAND,
};

const NAMES = CATALOG.plugins.map(({ name }) => name);

for (const agent of claudePrograms()) {
  Deno.test(`plugins of a marketplace offer the same as when Claude Code ${agent.label} installs them`, async () => {
    using world = new SourceWorld();
    await using stub = new StubApi();
    writeTree(world.dir("project/market"), MARKET);
    const claude = async (home: string, args: readonly string[]) => {
      const cwd = world.dir(`${home}/work`);
      Deno.mkdirSync(cwd, { recursive: true });
      const env = {
        ...bareEnv(world.dir(home), agent),
        ANTHROPIC_BASE_URL: stub.url,
        ANTHROPIC_API_KEY: "sk-ant-FAKE",
      };
      const done = await run(agent.path, args, { env, cwd });
      assert.equal(done.code, 0, done.stdout + done.stderr);
      return done.stdout;
    };
    const market = world.dir("project/market");
    await claude("theirs", ["plugin", "marketplace", "add", market]);
    for (const name of NAMES) {
      await claude("theirs", ["plugin", "install", `${name}@acme`]);
    }
    const theirs = await claude("theirs", SAY);
    const dirs = await fetchAll(world);
    const ours = await claude("ours", [
      ...SAY,
      ...dirs.flatMap((dir) => ["--plugin-dir", dir]),
    ]);
    assert.ok(offered(theirs).commands.length >= 10, theirs);
    assert.deepEqual(offered(ours), offered(theirs));
  });
}

const SAY = ["-p", "hi", "--output-format", "stream-json", "--verbose"];

async function fetchAll(world: SourceWorld): Promise<string[]> {
  const context = world.context();
  return await Promise.all(NAMES.map(async (name) => {
    const spec = parseSource(`${name}@./market`);
    const pin = await resolveSource(spec, context);
    const options = { kind: "plugin", context } as const;
    return await fetchSource(pin, world.fresh(), options);
  }));
}

/** What of the plugins the first event of a session lists. */
function offered(output: string): Offered {
  const init = output.split("\n").filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line))
    .find((event) => event.type === "system" && event.subtype === "init");
  const isOurs = (name: string) =>
    NAMES.some((plugin) => name.includes(`${plugin}:`));
  const servers = init.mcp_servers.map((s: { name: string }) => s.name);
  return {
    commands: init.slash_commands.filter(isOurs).sort(),
    servers: servers.filter(isOurs).sort(),
  };
}
