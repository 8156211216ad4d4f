// deno-lint-ignore-file camelcase -- the names are the agent's
import { deepEqual, equal, ok } from "node:assert/strict";
import { parseEvents } from "./events.ts";

const INIT = {
  type: "system",
  subtype: "init",
  session_id: "s-1",
  claude_code_version: "9.9.9",
  plugins: [{ name: "p", path: "/p", source: "p@inline" }],
  plugin_errors: [{ plugin: "inline[0]", message: "no such path", type: "x" }],
  mcp_servers: [{ name: "m", status: "connected", source: "dynamic" }],
  skills: ["p:s"],
  slash_commands: ["p:c"],
  terminal_slash_commands: ["color"],
  agents: ["p:a"],
  tools: ["Bash"],
  output_style: "default",
  model: "a-model",
  memory_paths: { auto: "/c/projects/x/memory/" },
};

const TABLES = `## Context Usage

### Custom Agents

| Agent Type | Source | Tokens |
|------------|--------|--------|
| p:a | Plugin | 1 |

### Memory Files

| Type | Path | Tokens |
|------|------|--------|
| Project | /w/CLAUDE.md | 1 |
| User | /c/with space.md | 1 |

### Skills

| Skill | Source | Tokens |
|-------|--------|--------|
| s | Plugin (p) | < 20 |
| p:c | Plugin (p) | < 20 |
| dataviz | Built-in | ~480 |
`;

function output(...events: unknown[]): string {
  return events.map((event) => JSON.stringify(event)).join("\n");
}

Deno.test("parseEvents() reads the init event", () => {
  const seen = parseEvents("a warning\n" + output(INIT))!;
  equal(seen.version, "9.9.9");
  deepEqual(seen.plugins, INIT.plugins);
  deepEqual(seen.pluginErrors, [
    { plugin: "inline[0]", message: "no such path" },
  ]);
  deepEqual(seen.servers, [{ name: "m", status: "connected" }]);
  deepEqual(seen.commands, ["p:c", "color"]);
  equal(seen.autoMemory, "/c/projects/x/memory/");
  deepEqual(seen.directories, []);
});

Deno.test("parseEvents() gives undefined without an init event", () => {
  equal(parseEvents(""), undefined);
  equal(parseEvents(output({ type: "result", result: TABLES })), undefined);
  equal(parseEvents('{"type":"system","subtype":"init"'), undefined);
});

Deno.test("parseEvents() reads the tables of /context, and puts the plugin before a skill that lacks it", () => {
  const { listed } = parseEvents(
    output(INIT, { type: "result", result: TABLES }),
  )!;
  deepEqual(listed.memory, [
    { name: "/w/CLAUDE.md", source: "Project" },
    { name: "/c/with space.md", source: "User" },
  ]);
  deepEqual(listed.skills, [
    { name: "p:s", source: "Plugin (p)" },
    { name: "p:c", source: "Plugin (p)" },
    { name: "dataviz", source: "Built-in" },
  ]);
  deepEqual(listed.agents, [{ name: "p:a", source: "Plugin" }]);
});

Deno.test("parseEvents() joins the start and the end of a hook, and keeps one that has not ended", () => {
  const name = { hook_name: "SessionStart:startup", type: "system" };
  const { hooks } = parseEvents(output(
    { ...name, subtype: "hook_started", hook_id: "1" },
    {
      ...name,
      subtype: "hook_started",
      hook_id: "2",
      hook_event: "SessionStart",
    },
    {
      ...name,
      subtype: "hook_response",
      hook_id: "2",
      exit_code: 2,
      stdout: "out",
      stderr: "err",
    },
    INIT,
  ))!;
  deepEqual(hooks, [
    { event: "SessionStart", exitCode: undefined, stdout: "", stderr: "" },
    { event: "SessionStart", exitCode: 2, stdout: "out", stderr: "err" },
  ]);
  ok(hooks.length > 0);
});
