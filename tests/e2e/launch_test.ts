/** What a launch gives to the agent and what it leaves behind; and launches that are refused. */

import assert from "node:assert/strict";
import { bareEnv } from "../support/aenv.ts";
import {
  mcpServerOf,
  writePlugin,
  writeText,
} from "../support/claude_items.ts";
import { type Finished, run } from "../support/process.ts";
import { snapshot } from "../support/snapshot.ts";
import { ISOLATIONS, manifestOf, World } from "./agent_world.ts";

const STREAM = ["-p", "hello", "--output-format", "stream-json", "--verbose"];
const WITH_BASH = [...STREAM, "--allowedTools=Bash"];

/** The agent's first event: what it has loaded. */
interface Loaded {
  readonly plugins: readonly string[];
  readonly servers: readonly string[];
  readonly skills: readonly string[];
}

function loadedIn(stdout: string): Loaded {
  const events = stdout.split("\n").filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
  const init = events.find(({ subtype }) => subtype === "init");
  assert.ok(init, `There is no init event in ${stdout}`);
  const namesOf = (items: readonly { name: string }[]) =>
    items.map(({ name }) => name).sort();
  return {
    plugins: namesOf(init.plugins),
    servers: namesOf(init.mcp_servers),
    skills: [...init.skills].sort(),
  };
}

/** Runs the agent once, in `env`, with one Bash call that runs `script`. */
async function session(
  script: string,
  options: {
    readonly env: (world: World) => Readonly<Record<string, string>>;
    readonly prepare?: (world: World) => void | Promise<void>;
    readonly check: (world: World, finished: Finished) => void | Promise<void>;
    readonly args?: readonly string[];
  },
): Promise<void> {
  await using world = await World.open({
    steps: ({ root }) => [{ bash: `cd '${root}' && . ./inside.sh` }],
  });
  writeText(`${world.root}/inside.sh`, script);
  await options.prepare?.(world);
  const env = options.env(world);
  const program = env["PATH"]?.includes(world.aenv.root)
    ? world.programOf("private")
    : world.agent.path;
  const finished = await run(program, options.args ?? WITH_BASH, {
    env,
    cwd: world.project,
  });
  assert.equal(finished.code, 0, finished.stderr + finished.stdout);
  await options.check(world, finished);
}

/** Asks, inside a session, what a nested command and a nested agent would get. The nested agent calls Bash too, and must not nest again. */
const ASK = `[ -e out/asked ] && return
touch out/asked
project=$OLDPWD; root=$PWD; cd "$project"
aenv current --json > "$root/out/current"
claude --version > "$root/out/version"
claude -p nested --output-format stream-json --verbose > "$root/out/nested"
`;

/** Places where an env can come from, with the manifest's directory. */
const NESTED = {
  "private env": { label: "private", AENV: "private" },
  "overlay env": { label: "overlay", AENV: "overlay" },
  "project env": { label: "crew", AENV: undefined },
  "global": { label: "global", AENV: "global" },
} as const;

for (const [name, { label, AENV }] of Object.entries(NESTED)) {
  Deno.test(`inside a session, aenv and claude resolve to the same env: ${name}`, async () => {
    await session(ASK, {
      env: (world) => ({ ...world.aenv.env, ...(AENV ? { AENV } : {}) }),
      async prepare(world) {
        const manifests = ISOLATIONS.map((
          isolation,
        ) => [`${world.aenv.root}/envs/${isolation}`, isolation, isolation]);
        if (name === "project env") {
          manifests.push([world.project, "crew", "private"]);
        }
        for (const [directory, env, isolation] of manifests) {
          declareItems(directory!, {
            name: env!,
            isolation: isolation!,
            world,
          });
        }
        if (name === "project env") await world.aenv.must(["trust", "--yes"]);
      },
      check(world, { stdout }) {
        assert.equal(JSON.parse(world.written("current")).env, label);
        assert.match(
          world.written("version"),
          /^\d+\.\d+\.\d+ \(Claude Code\)/,
        );
        const outer = loadedIn(stdout);
        assert.equal(outer.plugins.includes("crew"), name !== "global");
        assert.deepEqual(loadedIn(world.written("nested")), outer);
      },
    });
  });
}

/** Writes a manifest with a plugin `crew`, which has a skill and a server, and a server `extra`. */
function declareItems(
  directory: string,
  { name, isolation, world }: {
    readonly name: string;
    readonly isolation: string;
    readonly world: World;
  },
): void {
  writePlugin(`${directory}/plugins/crew`, "crew", {
    tokens: { skill: "crew-skill", mcp: "crew-server" },
    marks: world.out,
  });
  const { command, args } = mcpServerOf("extra", world.out);
  writeText(
    `${directory}/aenv.toml`,
    manifestOf(
      name,
      `isolation = "${isolation}"

[mcp.extra]
command = "${command}"
args = ${JSON.stringify(args)}

[[plugins.enabled]]
name = "crew"
source = "./plugins/crew"`,
    ),
  );
}

/** The variables of a process, written by `env -0`. */
type Variables = Readonly<Record<string, string>>;

const DUMP = "env -0 > out/env\n";

function readDump(world: World): Variables {
  const entries = world.written("env").split("\0")
    .filter((entry) => entry !== "")
    .map((entry) => {
      const cut = entry.indexOf("=");
      return [entry.slice(0, cut), entry.slice(cut + 1)];
    });
  return Object.fromEntries(entries);
}

/** What a command in the agent sees when it is started with `env`, paths of the test's directory written as `<root>`. */
async function variablesIn(
  env: (world: World) => Variables,
  prepare?: (world: World) => void,
): Promise<Variables> {
  let found: Variables = {};
  await session(DUMP, {
    env,
    ...(prepare ? { prepare } : {}),
    check(world) {
      found = Object.fromEntries(
        Object.entries(readDump(world)).map((
          [name, value],
        ) => [name, value.replaceAll(world.root, "<root>")]),
      );
    },
  });
  return found;
}

/** Names of the variables that differ between two environments, without those that differ between any two sessions. */
async function changedBy(
  env: (world: World) => Variables,
): Promise<Readonly<Record<string, string | undefined>>> {
  const bare = (world: World) => ({
    ...bareEnv(world.home, world.agent),
    ANTHROPIC_BASE_URL: world.stub.url,
  });
  const [one, two, ours] = [
    await variablesIn(bare),
    await variablesIn(bare),
    await variablesIn(env),
  ];
  const names = new Set([...Object.keys(one), ...Object.keys(ours)]);
  return Object.fromEntries(
    [...names].sort()
      .filter((name) => one[name] === two[name] && one[name] !== ours[name])
      .map((name) => [name, ours[name]]),
  );
}

/** Values that are told by their presence. */
function namesOf(changes: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(changes);
}

Deno.test("a private env changes the documented variables and no other", async () => {
  const changes = await changedBy((world) => world.envOf("private"));
  assert.deepEqual(namesOf(changes), [
    "AENV",
    "AENV_ACTIVE",
    "AENV_HOME",
    "AENV_LAUNCHER",
    "AENV_RESTORE",
    "CLAUDE_CODE_AUTOMOUNT_ROOTS",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_SECURESTORAGE_CONFIG_DIR",
    "ENABLE_CLAUDEAI_MCP_SERVERS",
    "PATH",
  ]);
  assert.equal(changes["AENV_HOME"], "<root>/home/.aenv");
  assert.equal(
    changes["CLAUDE_SECURESTORAGE_CONFIG_DIR"],
    "<root>/home/.claude",
  );
});

Deno.test("an overlay env changes the documented variables and no other", async () => {
  assert.deepEqual(
    namesOf(await changedBy((world) => world.envOf("overlay"))),
    [
      "AENV",
      "AENV_ACTIVE",
      "AENV_HOME",
      "AENV_LAUNCHER",
      "AENV_RESTORE",
      "CLAUDE_CODE_AUTOMOUNT_ROOTS",
      "CLAUDE_CODE_DISABLE_AUTO_MEMORY",
      "ENABLE_CLAUDEAI_MCP_SERVERS",
      "PATH",
    ],
  );
});

for (
  const [name, extra] of Object.entries({
    "AENV_OVERRIDE=global": { AENV_OVERRIDE: "global" },
    "nothing pinned": {},
  })
) {
  Deno.test(`global (${name}): only breadcrumbs are added, and the user's configuration is in use`, async () => {
    const changes = await changedBy((world) => ({
      ...bareEnv(world.home, world.agent),
      ANTHROPIC_BASE_URL: world.stub.url,
      // As a user's shell has it.
      PATH: world.aenv.env["PATH"]!,
      ...extra,
    }));
    const { PATH, ...others } = changes;
    assert.ok(PATH?.startsWith("<root>/home/.aenv/shims:"));
    const { AENV_LAUNCHER, ...marks } = others;
    assert.match(AENV_LAUNCHER!, /^\d+$/);
    assert.deepEqual(marks, { AENV: "global", AENV_ACTIVE: "global" });
  });
}

Deno.test("global: the agent loads the user's own configuration", async () => {
  await session("", {
    env: (world) => ({ ...world.aenv.env, AENV_OVERRIDE: "global" }),
    prepare: (world) =>
      writeText(`${world.home}/.claude/CLAUDE.md`, "OF-THE-USER"),
    check(world) {
      assert.ok(world.stub.modelRequests()[0]?.body.includes("OF-THE-USER"));
    },
  });
});

Deno.test("[env] xdg = private gives directories of its own, and aenv finds its home from inside", async () => {
  const script = `${DUMP}aenv current > out/current\n`;
  await session(script, {
    env(world) {
      // The home is the default one: inside, XDG_DATA_HOME would name another.
      const { AENV_HOME: _, ...env } = world.aenv.env;
      return { ...env, AENV: "private" };
    },
    prepare: (world) =>
      world.writeEnv("private", `isolation = "private"\nxdg = "private"`),
    check(world) {
      const slot = `${world.aenv.root}/envs/private/xdg`;
      const variables = readDump(world);
      for (const kind of ["config", "data", "state", "cache"]) {
        const name = `XDG_${kind.toUpperCase()}_HOME`;
        assert.equal(variables[name], `${slot}/${kind}`);
        assert.equal(snapshot(`${slot}/${kind}`)[""], "directory 700");
      }
      assert.equal(world.written("current"), "private\n");
    },
  });
});

Deno.test("two agents start at once in an env that nobody has started yet", async () => {
  await using world = await World.open();
  const directory = `${world.aenv.root}/envs/private`;
  declareItems(directory, { name: "private", isolation: "private", world });
  const both = await Promise.all(
    [1, 2].map(() => world.aenv.claude("private", STREAM)),
  );
  for (const { code, stdout, stderr } of both) {
    assert.equal(code, 0, stderr);
    const { plugins, servers } = loadedIn(stdout);
    assert.ok(plugins.includes("crew"));
    assert.deepEqual(servers, ["extra", "plugin:crew:crew-server"]);
  }
});

Deno.test("generated files are closed to others, whatever the umask; the next launch removes them", async () => {
  await using world = await World.open();
  const first = await run("sh", [
    "-c",
    'umask 000; exec "$@"',
    "sh",
    world.programOf("private"),
    "-p",
    "hello",
  ], { env: world.envOf("private"), cwd: world.project });
  assert.equal(first.code, 0, first.stderr);
  const before = world.runs();
  const files = snapshot(`${world.aenv.root}/runs/${before[0]}`);
  for (const [path, what] of Object.entries(files)) {
    assert.match(what, /^(file 600 |directory 700$)/, path);
  }
  const names = ["", "/mcp.json", "/run.json", "/settings.json"];
  assert.deepEqual(Object.keys(files).sort(), names);
  await world.aenv.claude("private", ["-p", "hello"]);
  const after = world.runs();
  assert.deepEqual([before.length, after.length], [1, 1]);
  assert.notDeepEqual(after, before);
});
