import assert from "node:assert/strict";
import type { AbsPath } from "../../base/paths.ts";
import type { ProjectFacts } from "./project.ts";
import { claudeRecipe, type RecipeInput } from "./recipe.ts";
import { parseUserArgs } from "./user_args.ts";

function abs(path: string): AbsPath {
  return path as AbsPath;
}

const PROJECT: ProjectFacts = {
  cwd: abs("/home/u/p"),
  root: abs("/home/u/p"),
  inside: [abs("/home/u/p")],
  above: [abs("/home/u"), abs("/")],
  isHome: false,
  foreign: { skills: [], agents: [], mcpServers: [] },
  linkedMemory: [],
  ownLinkedMemory: [],
  ambiguous: [],
  hasAgentFiles: false,
  mcpServers: {},
};

function input(parts: Partial<RecipeInput> = {}): RecipeInput {
  return {
    isolation: "private",
    projectConfig: "load",
    configDir: abs("/a/envs/e/claude"),
    runDir: abs("/a/runs/1-2"),
    user: {
      dir: abs("/home/u/.claude"),
      stateFile: abs("/home/u/.claude.json"),
      explicit: false,
      loginDir: abs("/home/u/.claude"),
    },
    project: PROJECT,
    mcp: { x: { type: "stdio", command: "true", args: [], env: {} } },
    plugins: [{
      name: "rev",
      source: abs("/nowhere/rev"),
      installed: abs("/a/envs/e/installed/1/rev"),
      data: abs("/a/envs/e/claude/plugins/data/rev-inline"),
    }],
    args: parseUserArgs(["-p", "hi"]),
    managedMcp: false,
    callerSettings: {},
    ...parts,
  };
}

const EXCLUDES = [
  "/home/u/CLAUDE.md",
  "/home/u/CLAUDE.local.md",
  "/home/u/AGENTS.md",
  "/home/u/.claude/**",
  "/CLAUDE.md",
  "/CLAUDE.local.md",
  "/AGENTS.md",
  "/.claude/**",
];

Deno.test("claudeRecipe() plans a private launch", () => {
  assert.deepEqual(claudeRecipe(input()), {
    args: [
      "--setting-sources=user,project,local",
      "--settings=/a/runs/1-2/settings.json",
      "--plugin-dir=/a/envs/e/installed/1/rev",
      "--mcp-config=/a/runs/1-2/mcp.json",
      "-p",
      "hi",
    ],
    set: {
      CLAUDE_CONFIG_DIR: "/a/envs/e/claude",
      CLAUDE_SECURESTORAGE_CONFIG_DIR: "/home/u/.claude",
      ENABLE_CLAUDEAI_MCP_SERVERS: "false",
      CLAUDE_CODE_AUTOMOUNT_ROOTS: "/home/u:/",
    },
    unset: [],
    files: {
      "settings.json": {
        disableClaudeAiConnectors: true,
        claudeMdExcludes: EXCLUDES,
      },
      "mcp.json": {
        mcpServers: {
          x: { type: "stdio", command: "true", args: [], env: {} },
        },
      },
    },
    trust: "/home/u/p",
    notes: [],
  });
});

Deno.test("claudeRecipe() plans an overlay launch that shares the config directory", () => {
  const recipe = claudeRecipe(input({ isolation: "overlay" }));
  assert.deepEqual(recipe.args, [
    "--setting-sources=project,local",
    "--settings=/a/runs/1-2/settings.json",
    "--plugin-dir=/a/envs/e/installed/1/rev",
    "--mcp-config=/a/runs/1-2/mcp.json",
    "--strict-mcp-config",
    "-p",
    "hi",
  ]);
  assert.deepEqual(recipe.unset, ["CLAUDE_CONFIG_DIR"]);
  assert.equal(recipe.set["CLAUDE_CODE_DISABLE_AUTO_MEMORY"], "1");
  assert.equal(recipe.trust, undefined);
  assert.deepEqual(recipe.files["settings.json"], {
    disableClaudeAiConnectors: true,
    autoMemoryEnabled: false,
    claudeMdExcludes: EXCLUDES,
    permissions: { deny: ["ListAgents", "SendMessage"] },
  });
});

Deno.test("claudeRecipe() loads nothing of the project when the manifest ignores it", () => {
  const overlay = claudeRecipe(
    input({ isolation: "overlay", projectConfig: "ignore" }),
  );
  assert.equal(overlay.args[0], "--setting-sources=");
  const own = claudeRecipe(input({ projectConfig: "ignore" }));
  assert.equal(own.args[0], "--setting-sources=user");
  assert.deepEqual(own.files["settings.json"], {
    disableClaudeAiConnectors: true,
    claudeMdExcludes: ["/**/.claude/**"],
  });
});

Deno.test("claudeRecipe() does not take HOME for a project, and says so", () => {
  const recipe = claudeRecipe(input({ project: { ...PROJECT, isHome: true } }));
  assert.equal(recipe.args[0], "--setting-sources=user");
  assert.match(recipe.notes[0]!, /home directory is no project/);
});

Deno.test("claudeRecipe() keeps out what lies above a project without a git root", () => {
  const foreign = { skills: ["sk"], agents: ["ag"], mcpServers: ["m"] };
  const recipe = claudeRecipe(input({ project: { ...PROJECT, foreign } }));
  assert.deepEqual(recipe.files["settings.json"], {
    disableClaudeAiConnectors: true,
    claudeMdExcludes: EXCLUDES,
    disabledMcpjsonServers: ["m"],
    skillOverrides: { sk: "off" },
    permissions: { deny: ["Agent(ag)"] },
  });
});

Deno.test("claudeRecipe() puts the caller's settings under ours", () => {
  const args = parseUserArgs(["--settings", "{}", "hi"]);
  const callerSettings = {
    model: "m",
    disableClaudeAiConnectors: false,
    claudeMdExcludes: ["/mine"],
  };
  const recipe = claudeRecipe(input({ args, callerSettings }));
  assert.deepEqual(recipe.files["settings.json"], {
    model: "m",
    disableClaudeAiConnectors: true,
    claudeMdExcludes: ["/mine", ...EXCLUDES],
  });
  assert.deepEqual(recipe.args.filter((arg) => arg.startsWith("--settings")), [
    "--settings=/a/runs/1-2/settings.json",
  ]);
});

Deno.test("claudeRecipe() lets the caller narrow the setting sources, never widen them", () => {
  const narrowed = claudeRecipe(
    input({ args: parseUserArgs(["--setting-sources", "project"]) }),
  );
  assert.equal(narrowed.args[0], "--setting-sources=project");
  const widened = claudeRecipe(
    input({
      isolation: "overlay",
      args: parseUserArgs(["--setting-sources=user,project"]),
    }),
  );
  assert.equal(widened.args[0], "--setting-sources=project");
});

Deno.test("claudeRecipe() starts a repository's servers unasked only with -p", () => {
  const project = { ...PROJECT, mcpServers: { repo: { command: "x" } } };
  const printing = claudeRecipe(input({ isolation: "overlay", project }));
  assert.deepEqual(Object.keys(servers(printing.files)), ["repo", "x"]);
  const asking = claudeRecipe(
    input({ isolation: "overlay", project, args: parseUserArgs(["hi"]) }),
  );
  assert.deepEqual(Object.keys(servers(asking.files)), ["x"]);
  assert.match(
    asking.notes[0]!,
    /server "repo" of \S+\/.mcp.json is not started/,
  );
});

Deno.test("claudeRecipe() leaves the trust question of a repository with agent files to the agent", () => {
  const project = { ...PROJECT, hasAgentFiles: true };
  assert.equal(claudeRecipe(input({ project })).trust, undefined);
  assert.equal(
    claudeRecipe(input({ project, projectConfig: "ignore" })).trust,
    "/home/u/p",
  );
});

Deno.test("claudeRecipe() adds no options to a call that only prints a text", () => {
  assert.deepEqual(
    claudeRecipe(input({ args: parseUserArgs(["--version"]) })).args,
    ["--version"],
  );
});

Deno.test("claudeRecipe() gives no MCP options where the organisation manages the servers", () => {
  const recipe = claudeRecipe(
    input({ isolation: "overlay", managedMcp: true }),
  );
  assert.equal(recipe.args.some((arg) => arg.includes("mcp-config")), false);
  assert.match(recipe.notes[0]!, /manages MCP servers/);
});

function servers(
  files: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return (files["mcp.json"] as { mcpServers: Record<string, unknown> })
    .mcpServers;
}
