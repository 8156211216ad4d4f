import { deepStrictEqual, throws } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { dirsAt } from "../base/dirs.ts";
import { type AbsPath } from "../base/paths.ts";
import { parseConfig, readConfig } from "./config.ts";

Deno.test("parseConfig() reads the default env and the programs", () => {
  const text =
    'default_env = "work"\nsecret_backend = "file"\n[agents]\nclaude = "/opt//claude"\ncodex = "/c"\n';
  deepStrictEqual(parseConfig(text, "f"), {
    defaultEnv: "work",
    agents: { claude: "/opt/claude", codex: "/c" },
    secretBackend: "file",
  });
  deepStrictEqual(parseConfig('default_env = "global"', "f"), {
    defaultEnv: "global",
    agents: {},
    secretBackend: undefined,
  });
});

Deno.test("readConfig() takes a missing file for an empty one", () => {
  using temp = new TempDir();
  const empty = {
    defaultEnv: undefined,
    agents: {},
    secretBackend: undefined,
  };
  deepStrictEqual(readConfig(dirsAt(temp.path as AbsPath)), empty);
  deepStrictEqual(parseConfig("", "f"), empty);
});

Deno.test("readConfig() refuses what it cannot read instead of going on without", () => {
  using temp = new TempDir();
  const dirs = dirsAt(temp.path as AbsPath);
  Deno.mkdirSync(dirs.config);
  throws(() => readConfig(dirs), { code: "IO", message: /it is a directory/ });
});

Deno.test("parseConfig() refuses what is wrong", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["default_env = ", "CONFIG_INVALID", /line 1, column \d+: /],
    [
      "defalt_env = 'x'",
      "CONFIG_INVALID",
      /"defalt_env", did you mean "default_env"/,
    ],
    ["zzz = 1", "CONFIG_INVALID", /unknown key "zzz"$/],
    ["default_env = 1", "CONFIG_INVALID", /default_env must be a string/],
    [
      "secret_backend = 'kernel'",
      "CONFIG_INVALID",
      /secret_backend is "kernel", not "keyring" or "file"$/,
    ],
    ["secret_backend = 1", "CONFIG_INVALID", /must be a string/],
    ["agents = 'x'", "CONFIG_INVALID", /agents must be a table/],
    ["agents = []", "CONFIG_INVALID", /agents must be a table/],
    ["agents = 2026-01-01", "CONFIG_INVALID", /agents must be a table/],
    ["[agents]\ncluade = '/x'", "CONFIG_INVALID", /did you mean "claude"/],
    ["[agents]\nclaude = 1", "CONFIG_INVALID", /claude must be a string/],
    ["[agents]\nclaude = 'claude'", "PATH_INVALID", /agents.claude in f/],
    ["[agents]\nclaude = ''", "PATH_INVALID", /not an absolute path/],
    ["default_env = '../x'", "CONFIG_INVALID", /default_env is "..\/x"/],
    ["default_env = ''", "CONFIG_INVALID", /default_env is ""/],
  ];
  for (const [text, code, message] of cases) {
    throws(() => parseConfig(text, "f"), { code, message }, text);
  }
});
