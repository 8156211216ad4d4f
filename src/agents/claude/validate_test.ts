import assert from "node:assert/strict";
import { passesToClaude } from "./env_filter.ts";
import { parseUserArgs } from "./user_args.ts";
import { validateServers, validateSettings } from "./validate.ts";

Deno.test("validateSettings() refuses unknown settings and wrong types, which would drop all of them", () => {
  validateSettings({
    model: "x",
    permissions: { deny: ["a"] },
    env: { A: "b" },
  });
  validateSettings({
    hooks: { Stop: [{ hooks: [{ type: "command", command: "true" }] }] },
  });
  const wrong: Record<string, unknown>[] = [
    { nonsense: 1 },
    { claudeMdExcludes: "x" },
    { permissions: { deny: "x" } },
    { permissions: { defaultMode: "yolo" } },
    { env: { A: 1 } },
    { hooks: { Stop: [{ command: "true" }] } },
    { constructor: 1 },
  ];
  for (const settings of wrong) {
    assert.throws(() => validateSettings(settings), {
      code: "ARGUMENT_REFUSED",
      exitCode: 3,
    });
  }
});

Deno.test("validateServers() refuses an entry that would lose the whole file", () => {
  validateServers({
    a: { command: "x" },
    b: { type: "sse", url: "http://x", headers: {} },
  });
  for (
    const entry of [{}, { command: 1 }, { url: "http://x" }, {
      command: "x",
      env: { A: 1 },
    }, 7]
  ) {
    assert.throws(() => validateServers({ bad: entry }), {
      code: "CONTENT_INVALID",
      exitCode: 3,
    });
  }
});

Deno.test("passesToClaude() lets the account through and keeps configuration out", () => {
  const pass = [
    "PATH",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "IS_SANDBOX",
  ];
  const drop = [
    "CLAUDE_CODE_PLUGIN_DIRS",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_ENV_FILE",
    "CLAUDECODE",
    "CLAUDE_CODE_SANDBOXED",
    "CLAUDE_CODE_SHELL_PREFIX",
    "CLAUDE_CODE_SOMETHING_NEW",
    "ANTHROPIC_SESSION_ID",
  ];
  assert.deepEqual(pass.filter((name) => !passesToClaude(name)), []);
  assert.deepEqual(drop.filter(passesToClaude), []);
});

Deno.test("parseUserArgs() takes over settings and sources and leaves the rest in order", () => {
  const args = [
    "-p",
    "--settings=a",
    "hi",
    "--settings",
    "b",
    "--setting-sources",
    "user",
    "--model",
    "m",
  ];
  assert.deepEqual(parseUserArgs(args), {
    rest: ["-p", "hi", "--model", "m"],
    settings: ["a", "b"],
    sources: ["user"],
    informational: false,
    printMode: true,
  });
});

Deno.test("parseUserArgs() reads nothing after a double dash", () => {
  assert.deepEqual(parseUserArgs(["--", "--settings", "x"]).rest, [
    "--",
    "--settings",
    "x",
  ]);
});

Deno.test("parseUserArgs() refuses an option without its value", () => {
  assert.throws(() => parseUserArgs(["--settings"]), {
    code: "ARGUMENT_REFUSED",
    exitCode: 3,
  });
});
