import { deepEqual, equal, match } from "node:assert/strict";
import { compare } from "./compare.ts";
import type { Comparison } from "./comparison.ts";
import type { Declared, Expected, Observation, Row } from "./types.ts";

const DECLARED: Declared = {
  plugins: [],
  items: [],
  switchedOff: [],
  families: [],
  servers: [],
  hooks: [],
  hooksOff: undefined,
  variables: [],
  style: undefined,
  model: undefined,
  directories: [],
  memoryRoots: [],
  texts: [],
};

const OBSERVATION: Observation = {
  version: "9.9.9",
  session: "s",
  plugins: [
    { name: "aenv-verify", path: "/tmp/x", source: "aenv-verify@inline" },
    { name: "inner", path: "builtin", source: "inner@builtin" },
  ],
  pluginErrors: [],
  servers: [],
  skills: ["debug"],
  commands: ["debug", "compact"],
  agents: ["Explore"],
  tools: ["Bash"],
  style: "default",
  model: "m",
  autoMemory: undefined,
  directories: [],
  // Our own.
  hooks: [{ event: "SessionStart", exitCode: 0, stdout: "", stderr: "" }],
  listed: { memory: [], skills: [], agents: [] },
};

/** A comparison in which nothing is declared and nothing is seen, but for these. */
function comparison(
  declared: Partial<Declared>,
  seen: Partial<Observation> = {},
  rest: Partial<Comparison> = {},
): Comparison {
  return {
    declared: { ...DECLARED, ...declared },
    observation: { ...OBSERVATION, ...seen },
    baseline: {
      version: "9.9.9",
      model: "m",
      style: "default",
      names: ["debug", "compact"],
      agents: ["Explore"],
      plugins: ["inner@builtin"],
      tools: ["Bash"],
      variables: ["CLAUDECODE"],
    },
    pluginDirs: ["/i/p", "/i/q"],
    variables: { HOME: "/h", CLAUDECODE: "1" },
    environment: { HOME: "/h" },
    added: [],
    reportsHooks: true,
    serverErrors: new Map(),
    ...rest,
  };
}

function short(rows: readonly Row[]): string[] {
  return rows.map(({ status, kind, item }) => `${status} ${kind} ${item}`);
}

function item(kind: Expected["kind"], name: string): Expected {
  return { kind, item: name, names: [name], from: "manifest", required: true };
}

const PLUGIN = { name: "p", from: "manifest", path: "/i/p", id: undefined };

Deno.test("compare() gives no rows for what the agent has by itself", () => {
  deepEqual(compare(comparison({})), []);
});

Deno.test("compare() finds items of every kind that are missing", () => {
  const rows = compare(comparison({
    plugins: [PLUGIN],
    items: [
      item("skill", "p:s"),
      item("command", "p:c"),
      item("agent", "p:a"),
      item("memory", "/w/CLAUDE.md"),
    ],
    servers: [{ name: "m", from: "manifest" }],
    hooks: [{ event: "SessionStart", command: "x", from: "plugin p" }],
    variables: [{ name: "V", value: "1", from: "manifest", observable: true }],
  }));
  deepEqual(short(rows), [
    "missing plugin p",
    "missing skill p:s",
    "missing command p:c",
    "missing agent p:a",
    "missing mcp server m",
    "missing memory /w/CLAUDE.md",
    "missing hook SessionStart",
    "missing variable V",
  ]);
});

Deno.test("compare() finds items of every kind that nobody declares", () => {
  const rows = compare(comparison({}, {
    plugins: [{ name: "p", path: "/user/p", source: "p@market" }],
    skills: ["p:s"],
    commands: ["c"],
    agents: ["a"],
    servers: [{ name: "m", status: "connected" }],
    tools: ["mcp__m__ping"],
    style: "Loud",
    model: "other",
    autoMemory: "/h/.claude/projects/x/memory/",
    directories: ["/elsewhere"],
    hooks: [...OBSERVATION.hooks, ...OBSERVATION.hooks],
    listed: {
      memory: [{ name: "/h/.claude/CLAUDE.md", source: "User" }],
      skills: [],
      agents: [],
    },
  }, { variables: { HOME: "/h", LEAKED: "1" } }));
  deepEqual(short(rows), [
    "unexpected plugin p",
    "unexpected skill p:s",
    "unexpected command c",
    "unexpected agent a",
    "unexpected mcp server m",
    "unexpected mcp tool mcp__m__ping",
    "unexpected memory /h/.claude/CLAUDE.md",
    "unexpected memory /h/.claude/projects/x/memory/",
    "unexpected hook SessionStart",
    "unexpected variable LEAKED",
    "unexpected output style Loud",
    "unexpected model other",
    "unexpected directory /elsewhere",
  ]);
});

Deno.test("compare() does not take a plugin of the same name from another place for the declared one", () => {
  const rows = compare(comparison({ plugins: [PLUGIN] }, {
    plugins: [{ name: "p", path: "/user/p", source: "p@market" }],
  }));
  deepEqual(short(rows), ["missing plugin p", "unexpected plugin p"]);
});

Deno.test("compare() puts the agent's error to the plugin it names by number", () => {
  const rows = compare(comparison({ plugins: [PLUGIN] }, {
    pluginErrors: [
      { plugin: "inline[0]", message: "broken" },
      { plugin: "inline[1]", message: "gone" },
    ],
  }));
  deepEqual(short(rows), ["failed plugin p", "failed plugin /i/q"]);
  equal(rows[0]!.detail, "broken");
});

Deno.test("compare() does not let a user's skill pass as a plugin's of the same name", () => {
  const rows = compare(comparison(
    { items: [item("skill", "p:s")] },
    { skills: ["p:s", "s"] },
  ));
  deepEqual(short(rows), ["ok skill p:s", "unexpected skill s"]);
});

Deno.test("compare() knows the policy's skills by what the agent says of them", () => {
  const [row] = compare(comparison({}, {
    skills: ["rules"],
    listed: {
      memory: [],
      agents: [],
      skills: [{ name: "rules", source: "Managed" }],
    },
  }));
  equal(row?.status, "ok");
  equal(row?.from, "policy");
});

Deno.test("compare() accepts tools and prompts of declared servers only", () => {
  const rows = compare(comparison(
    { servers: [{ name: "plugin:p:a b", from: "plugin p" }] },
    {
      servers: [{ name: "plugin:p:a b", status: "connected" }],
      tools: ["mcp__plugin_p_a_b__ping", "mcp__plugin_p_a__ping"],
      commands: ["mcp__plugin_p_a_b__prompt", "mcp__x__prompt"],
    },
  ));
  deepEqual(short(rows), [
    "unexpected command mcp__x__prompt",
    "ok mcp server plugin:p:a b",
    "unexpected mcp tool mcp__plugin_p_a__ping",
  ]);
});

Deno.test("compare() tells why a server failed", () => {
  function detail(status: string, errors: string[]): string | undefined {
    return compare(comparison(
      { servers: [{ name: "a.b", from: "manifest" }] },
      { servers: [{ name: "a.b", status }] },
      { serverErrors: new Map([["a-b", errors]]) },
    ))[0]?.detail;
  }
  const errors = ["Server stderr: no key\n", "Connection failed: closed"];
  equal(detail("failed", errors), "Connection failed: closed (no key)");
  equal(detail("failed", []), "the agent gives no reason");
  match(detail("pending", [])!, /in time/);
});

Deno.test("compare() counts equal hook commands once, and reports one that failed", () => {
  const hook = { event: "SessionStart", command: "x", from: "plugin p" };
  const own = OBSERVATION.hooks[0]!;
  function rows(...hooks: Observation["hooks"]): Row[] {
    return compare(
      comparison({ hooks: [hook, hook] }, { hooks: [own, ...hooks] }),
    );
  }
  deepEqual(short(rows(own)), ["ok hook SessionStart"]);
  deepEqual(short(rows(own, own)), ["ok hook SessionStart"]);
  deepEqual(short(rows(own, own, own)), ["unexpected hook SessionStart"]);
  const [failed] = rows({ ...own, exitCode: 2, stderr: "a\nwhy\n" });
  equal(failed?.status, "failed");
  equal(failed?.detail, "one ended with exit code 2: why");
});

Deno.test("compare() leaves out of account what verify cannot see", () => {
  const rows = compare(comparison({
    hooks: [{ event: "PreToolUse", command: "x", from: "plugin p" }],
    variables: [{
      name: "ANTHROPIC_BASE_URL",
      value: "x",
      from: "manifest",
      observable: false,
    }],
  }));
  deepEqual(short(rows), [
    "unobserved hook PreToolUse",
    "unobserved variable ANTHROPIC_BASE_URL",
  ]);
});

Deno.test("compare() never shows the value of a variable", () => {
  const rows = compare(comparison(
    {
      variables: [{
        name: "V",
        value: "want",
        from: "manifest",
        observable: true,
      }],
    },
    {},
    { variables: { V: "VALUE-FOUND", LEAKED: "VALUE-FOUND" } },
  ));
  deepEqual(short(rows), [
    "different variable V",
    "unexpected variable LEAKED",
  ]);
  equal(JSON.stringify(rows).includes("VALUE-FOUND"), false);
});
