/** `aenv verify` against the real agents: equal when it should be, and every breakage found. */

import assert from "node:assert/strict";
import { Aenv } from "../support/aenv.ts";
import { type ClaudeProgram, claudePrograms } from "../support/agents.ts";
import {
  writeAgent,
  writePlugin,
  writeSkill,
  writeText,
} from "../support/claude_items.ts";
import { type DeclaredEnv, writeDeclaredEnv } from "../support/declared_env.ts";
import { type DirtyHome, makeDirtyHome } from "../support/dirty_home.ts";
import { snapshot } from "../support/snapshot.ts";
import { StubApi } from "../support/stub_api.ts";
import { TempDir } from "../support/temp.ts";

/** A line of the report, as JSON has it. */
interface Row {
  readonly kind: string;
  readonly item: string;
  readonly from: string;
  readonly declared: boolean | number | string;
  readonly seen: boolean | number | string;
  readonly status: string;
  readonly detail?: string;
}

interface Report {
  readonly ok: boolean;
  readonly version: string;
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
  readonly ms: number;
}

type Isolation = "private" | "overlay";

/** An env named `proof` in a dirty HOME. */
interface Scene extends Disposable {
  readonly aenv: Aenv;
  readonly dirty: DirtyHome;
  readonly declared: DeclaredEnv;
  /** The env's home. */
  readonly slot: string;
}

async function makeScene(
  agent: ClaudeProgram,
  isolation: Isolation,
  git = true,
): Promise<Scene> {
  const temp = new TempDir();
  const dirty = makeDirtyHome(temp.path, {
    git,
    stubUrl: "http://127.0.0.1:9",
  });
  const aenv = new Aenv({
    home: dirty.home,
    cwd: dirty.project,
    agent,
    env: {
      ...dirty.callerEnv,
      ANTHROPIC_API_KEY: "sk-ant-api03-THE-USERS-OWN",
      CLAUDE_CODE_OAUTH_TOKEN: "sk-ant-oat01-THE-USERS-OWN",
      HTTP_PROXY: "http://127.0.0.1:9",
    },
  });
  await aenv.must(["init", "--no-default"]);
  await aenv.must(["new", "proof"]);
  const slot = `${aenv.root}/envs/proof`;
  const declared = writeDeclaredEnv(slot, {
    name: "proof",
    isolation,
    projectConfig: "load",
    marks: dirty.marks,
  });
  return {
    aenv,
    dirty,
    declared,
    slot,
    [Symbol.dispose]: () => temp[Symbol.dispose](),
  };
}

async function verify(
  { aenv }: Scene,
  args: readonly string[] = [],
): Promise<{ code: number; report: Report; stderr: string }> {
  const { code, stdout, stderr } = await aenv.run(
    ["verify", "-E", "proof", "--json", ...args],
  );
  assert.notEqual(stdout, "", stderr);
  return { code, report: JSON.parse(stdout) as Report, stderr };
}

/** Rows that are not as they should be, in short. */
function differences({ rows }: Report): string[] {
  return rows.filter(({ status }) => status !== "ok")
    .map(({ status, kind, item }) => `${status} ${kind} ${item}`).sort();
}

function has(report: Report, kind: string, item: string): boolean {
  return report.rows.some((row) =>
    row.kind === kind && row.item === item && row.status === "ok"
  );
}

function appendManifest({ slot }: Scene, text: string): void {
  Deno.writeTextFileSync(`${slot}/aenv.toml`, text, { append: true });
}

/** The copy of the plugin that launches use. */
function installedPlugin({ slot }: Scene): string {
  for (const { name } of Deno.readDirSync(`${slot}/installed`)) {
    const path = `${slot}/installed/${name}/review`;
    try {
      Deno.statSync(path);
      return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error("The plugin was not installed");
}

const [NEWEST, OLDER] = claudePrograms();
const EVERYWHERE = claudePrograms().flatMap((agent) =>
  (["private", "overlay"] as const).map((isolation) => ({ agent, isolation }))
);
/** Each mode and each version once. */
const CROSSWISE = [
  { agent: NEWEST, isolation: "private" },
  { agent: OLDER, isolation: "overlay" },
] as const;

interface Case {
  readonly agent: ClaudeProgram;
  readonly isolation: Isolation;
}

function testIn(
  cases: readonly Case[],
  name: string,
  check: (scene: Scene) => Promise<void>,
): void {
  for (const where of cases) {
    const { agent, isolation } = where;
    Deno.test(`${name} (${isolation}, Claude Code ${agent.label})`, async () => {
      using scene = await makeScene(agent, isolation);
      await check(scene);
    });
  }
}

testIn(
  EVERYWHERE,
  "verify finds an env equal to its manifest, and leaves everything else as it is",
  async (scene) => {
    const { home, project } = scene.dirty;
    const places = [`${home}/.claude`, `${home}/.claude.json`, project];
    const before = places.map((place) => snapshot(place));
    const { code, report, stderr } = await verify(scene);
    assert.deepEqual(differences(report), [], stderr);
    assert.equal(code, 0);
    assert.equal(report.ok, true);
    for (const [kind, item] of declaredRows(scene)) {
      assert.ok(has(report, kind, item), `there is no row ${kind} ${item}`);
    }
    // The second time, what the agent has by itself is known.
    const again = await verify(scene, ["--full"]);
    assert.deepEqual(differences(again.report), []);
    assert.equal(again.code, 0);
    assert.ok(has(again.report, "text", `contents of ${project}/CLAUDE.md`));
    assert.ok(has(again.report, "text", "output of a SessionStart hook"));
    assert.deepEqual(places.map((place) => snapshot(place)), before);
    const runs = [...Deno.readDirSync(`${scene.aenv.root}/runs`)];
    assert.deepEqual(runs, [], "the directory of the run is left");
  },
);

for (const { agent, isolation } of CROSSWISE) {
  Deno.test(`verify finds an env equal to its manifest outside of a repository (${isolation}, Claude Code ${agent.label})`, async () => {
    using scene = await makeScene(agent, isolation, false);
    const { report } = await verify(scene, ["--full"]);
    assert.deepEqual(differences(report), []);
  });
}

testIn(
  CROSSWISE,
  "verify finds what was taken out of and put into an installed plugin",
  async (scene) => {
    await verify(scene);
    const plugin = installedPlugin(scene);
    Deno.removeSync(`${plugin}/skills/decl-plugin-skill-z`, {
      recursive: true,
    });
    writeSkill(plugin, "planted");
    const { code, report } = await verify(scene);
    assert.deepEqual(differences(report), [
      "different copy plugin review",
      "missing skill review:decl-plugin-skill-z",
      "unexpected skill review:planted",
    ]);
    assert.equal(code, 1);
  },
);

testIn(
  CROSSWISE,
  "verify names the servers that do not start, with the reason",
  async (scene) => {
    appendManifest(
      scene,
      `
[mcp.absent]
command = "/nonexistent/server"

[mcp.dies]
command = "sh"
args = ["-c", "echo the-reason >&2; exit 3"]
`,
    );
    const { code, report } = await verify(scene);
    assert.deepEqual(differences(report), [
      "failed mcp server absent",
      "failed mcp server dies",
    ]);
    assert.equal(code, 1);
    const details = report.rows.filter(({ status }) => status === "failed")
      .map(({ detail }) => detail ?? "");
    assert.match(details[0]!, /ENOENT/);
    assert.match(details[1]!, /the-reason/);
  },
);

testIn(
  CROSSWISE,
  "verify waits for a server that is slow to start",
  async (scene) => {
    const program = new URL("../support/mcp_server.mjs", import.meta.url);
    const script =
      `sleep 3; exec node '${program.pathname}' late '${scene.dirty.marks}'`;
    appendManifest(
      scene,
      `\n[mcp.late]\ncommand = "sh"\nargs = ["-c", ${
        JSON.stringify(script)
      }]\n`,
    );
    const { code, report } = await verify(scene);
    assert.deepEqual(differences(report), []);
    assert.ok(has(report, "mcp server", "late"));
    assert.equal(code, 0);
  },
);

testIn(
  CROSSWISE,
  "verify finds a variable that a settings file changes, and knows the settings of the project",
  async (scene) => {
    writeText(
      `${scene.dirty.project}/.claude/settings.json`,
      JSON.stringify({ env: { GREETING: "another" }, language: "Klingon" }),
    );
    const { code, report } = await verify(scene, ["--full"]);
    assert.deepEqual(differences(report), ["different variable GREETING"]);
    assert.ok(has(report, "text", "language"));
    assert.equal(code, 1);
  },
);

testIn(
  [CROSSWISE[0]],
  "verify knows what the user put into the env's own directory",
  async (scene) => {
    const own = `${scene.slot}/claude`;
    writeSkill(own, "own-skill");
    writeAgent(own, "own-agent");
    writeText(`${own}/CLAUDE.md`, "own memory @more.md\n");
    writeText(`${own}/more.md`, "more\n");
    const { code, report } = await verify(scene, ["--full"]);
    assert.deepEqual(differences(report), []);
    assert.equal(code, 0);
    const rows = report.rows.filter(({ from }) =>
      from.startsWith("own config")
    );
    assert.deepEqual(
      rows.filter(({ kind }) => kind !== "text").map(({ item }) => item),
      ["own-skill", "own-agent", `${own}/CLAUDE.md`, `${own}/more.md`],
    );
  },
);

testIn(
  [CROSSWISE[0]],
  "verify knows what a cloned configuration brings",
  async ({ aenv }) => {
    await aenv.must(["init"]);
    const { stdout, stderr } = await aenv.run(
      ["verify", "-E", "default", "--full", "--json"],
    );
    assert.notEqual(stdout, "", stderr);
    const report = JSON.parse(stdout) as Report;
    assert.deepEqual(differences(report), [
      // There is nothing at its address.
      "failed mcp server remote",
      "unobserved hook PreToolUse",
      "unobserved hook SessionEnd",
      "unobserved variable ANTHROPIC_CUSTOM_HEADERS",
    ]);
    assert.ok(has(report, "plugin", "from-market"));
    assert.ok(has(report, "text", "attribution commit"));
  },
);

testIn(
  CROSSWISE,
  "verify fails with exit 3 for a plugin that cannot be planned",
  async (scene) => {
    writeText(`${scene.slot}/source/review/.claude-plugin/plugin.json`, "{");
    const { code, stdout, stderr } = await scene.aenv.run(
      ["verify", "-E", "proof"],
    );
    assert.equal(code, 3);
    assert.equal(stdout, "");
    assert.match(stderr, /plugin\.json/);
  },
);

/** A `claude` that starts the real one after `prelude`, with `more` arguments. */
function wrapAgent(
  agent: ClaudeProgram,
  directory: string,
  { prelude = "", more = "" }: { prelude?: string; more?: string },
): ClaudeProgram {
  const path = `${directory}/claude`;
  writeText(path, `#!/bin/sh\n${prelude}\nexec '${agent.path}' "$@" ${more}\n`);
  Deno.chmodSync(path, 0o755);
  return { label: agent.label, directory, path };
}

for (const agent of [NEWEST, OLDER]) {
  Deno.test(`verify finds the user's own items when the agent loads them (overlay, Claude Code ${agent.label})`, async () => {
    using temp = new TempDir();
    // The last one counts: as if the isolation did not hold.
    const more = "--setting-sources=user,project,local";
    const leaky = wrapAgent(agent, temp.path, { more });
    using scene = await makeScene(leaky, "overlay");
    const { code, report } = await verify(scene);
    assert.equal(code, 1);
    const found = differences(report);
    for (
      const difference of [
        "unexpected plugin from-market",
        "unexpected plugin among-skills",
        "unexpected skill cnry-user-skill-z",
        "unexpected command cnry-user-command-z",
        "unexpected agent cnry-user-agent-z",
        "unexpected variable USER_SETTINGS_ENV",
        "unexpected output style cnry-user-output-style-z",
        "unexpected model cnry-user-model-z",
        "unexpected hook SessionStart",
        `unexpected memory ${scene.dirty.home}/.claude/CLAUDE.md`,
      ]
    ) assert.ok(found.includes(difference), `${difference} is not in ${found}`);
  });

  Deno.test(`verify finds a plugin and a server that nobody declares (private, Claude Code ${agent.label})`, async () => {
    using temp = new TempDir();
    const marks = `${temp.path}/marks`;
    writePlugin(`${temp.path}/foreign`, "foreign", {
      tokens: { skill: "foreign-skill", mcp: "foreign-server" },
      marks,
    });
    Deno.mkdirSync(marks);
    const more = `--plugin-dir='${temp.path}/foreign'`;
    using scene = await makeScene(
      wrapAgent(agent, `${temp.path}/bin`, { more }),
      "private",
    );
    const { code, report } = await verify(scene);
    assert.equal(code, 1);
    assert.deepEqual(differences(report), [
      "unexpected mcp server plugin:foreign:foreign-server",
      "unexpected mcp tool mcp__plugin_foreign_foreign-server__ping",
      "unexpected plugin foreign",
      "unexpected skill foreign:foreign-skill",
    ]);
  });

  for (const isolation of ["private", "overlay"] as const) {
    Deno.test(`verify sends no login of the user anywhere (${isolation}, Claude Code ${agent.label})`, async () => {
      using temp = new TempDir();
      await using recorder = new StubApi();
      // Sends what the agent says to a server that keeps the headers, instead of verify's own.
      const prelude = `env > '${temp.path}/environment'
for word in "$@"; do
  case $word in
    --settings=*) sed -i "s|http://127.0.0.1:[0-9]*|${recorder.url}|" "\${word#--settings=}" ;;
  esac
done`;
      using scene = await makeScene(
        wrapAgent(agent, `${temp.path}/bin`, { prelude }),
        isolation,
      );
      const settings = {
        apiKeyHelper: "echo HELPER-THE-USERS-OWN",
        env: { ANTHROPIC_AUTH_TOKEN: "TOKEN-THE-USERS-OWN" },
      };
      const { project, home } = scene.dirty;
      for (
        const file of [
          `${project}/.claude/settings.json`,
          `${scene.slot}/claude/settings.json`,
        ]
      ) writeText(file, JSON.stringify(settings));
      writeText(`${home}/.config/anthropic/active_config`, "default");
      await verify(scene);
      assert.ok(recorder.requests.length > 0, "no request was recorded");
      const sent = recorder.requests.map(({ headers, body }) =>
        JSON.stringify(headers) + body
      ).join("\n");
      const given = Deno.readTextFileSync(`${temp.path}/environment`);
      for (const secret of ["THE-USERS-OWN", "FAKE-LOGIN"]) {
        assert.ok(!sent.includes(secret), `${secret} was sent`);
        assert.ok(!given.includes(secret), `the agent was given ${secret}`);
      }
    });
  }
}

/** Kind and name of what the manifest declares. */
function declaredRows({ declared }: Scene): [string, string][] {
  return [
    ["plugin", "review"],
    ["skill", "review:decl-plugin-skill-z"],
    ["command", "review:decl-plugin-command-z"],
    ["agent", "review:decl-plugin-agent-z"],
    ["skill", "skills:decl-bare-skill-z"],
    ["hook", "SessionStart"],
    ["variable", "GREETING"],
    ...declared.mcpServers.map((
      name,
    ): [string, string] => ["mcp server", name]),
  ];
}
