import assert from "node:assert/strict";
import type { AbsPath } from "../../base/paths.ts";
import { hoistPluginServers } from "./mcp.ts";

function plugin(files: Record<string, unknown>): AbsPath {
  const dir = Deno.realPathSync(Deno.makeTempDirSync()) as AbsPath;
  Deno.mkdirSync(`${dir}/.claude-plugin`);
  for (const [path, value] of Object.entries(files)) {
    Deno.writeTextFileSync(`${dir}/${path}`, JSON.stringify(value));
  }
  return dir;
}

function hoist(source: AbsPath): Record<string, unknown> {
  return hoistPluginServers({
    name: "op",
    source,
    installed: "/i/op" as AbsPath,
    data: "/d/op" as AbsPath,
  }, "/p" as AbsPath);
}

Deno.test("hoistPluginServers() names servers as the agent does and fills in what only it knows", () => {
  const source = plugin({
    ".mcp.json": {
      mcpServers: {
        a: {
          command: "${CLAUDE_PLUGIN_ROOT}/run",
          args: ["${CLAUDE_PLUGIN_DATA}", "${CLAUDE_PROJECT_DIR}", "${HOME}"],
        },
      },
    },
  });
  assert.deepEqual(hoist(source), {
    "plugin:op:a": {
      command: "/i/op/run",
      args: ["/d/op", "/p", "${HOME}"],
      env: { CLAUDE_PLUGIN_ROOT: "/i/op", CLAUDE_PLUGIN_DATA: "/d/op" },
    },
  });
});

Deno.test("hoistPluginServers() reads flat files, inline tables, paths and lists", () => {
  const source = plugin({
    ".mcp.json": { flat: { command: "f" } },
    ".claude-plugin/plugin.json": {
      name: "op",
      mcpServers: ["./more.json", {
        inline: { type: "http", url: "http://x" },
      }],
    },
    "more.json": { mcpServers: { more: { command: "m" } } },
  });
  assert.deepEqual(Object.keys(hoist(source)).sort(), [
    "plugin:op:flat",
    "plugin:op:inline",
    "plugin:op:more",
  ]);
  assert.deepEqual(hoist(source)["plugin:op:inline"], {
    type: "http",
    url: "http://x",
  });
});

Deno.test("hoistPluginServers() refuses a path that leads out of the plugin", () => {
  const outside = plugin({ "x.json": {} });
  const source = plugin({
    ".claude-plugin/plugin.json": {
      name: "op",
      mcpServers: `../${outside.split("/").pop()}/x.json`,
    },
  });
  assert.throws(() => hoist(source), { code: "CONTENT_INVALID" });
});
