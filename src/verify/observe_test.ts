import { deepEqual, equal, ok } from "node:assert/strict";
import type { AbsPath } from "../base/paths.ts";
import { isWithheld, observedEnvironment, overridden } from "./observe.ts";
import type { Workplace } from "./workplace.ts";

const PLACE: Workplace = {
  root: "/w" as AbsPath,
  login: "/w/login" as AbsPath,
  temp: "/w/tmp" as AbsPath,
  cache: "/w/cache" as AbsPath,
  empty: "/w/empty" as AbsPath,
  canary: "/w/canary" as AbsPath,
  dump: "/w/dump" as AbsPath,
  tried: "/w/tried" as AbsPath,
};

Deno.test("observedEnvironment() has no login, and points the agent at the stub", () => {
  const environment = observedEnvironment({
    place: PLACE,
    environment: {
      PATH: "/bin",
      GREETING: "hello",
      ANTHROPIC_API_KEY: "MINE",
      ANTHROPIC_AUTH_TOKEN: "MINE",
      ANTHROPIC_CUSTOM_HEADERS: "x-key: MINE",
      CLAUDE_CODE_OAUTH_TOKEN: "MINE",
      CLAUDE_CODE_GATEWAY_TOKEN: "MINE",
      CLAUDE_CODE_USE_BEDROCK: "1",
      CLAUDE_SECURESTORAGE_CONFIG_DIR: "/home/me/.claude",
      NO_PROXY: "internal",
    },
  }, "http://127.0.0.1:1");
  equal(JSON.stringify(environment).includes("MINE"), false);
  equal(environment["CLAUDE_CODE_USE_BEDROCK"], undefined);
  equal(environment["ANTHROPIC_BASE_URL"], "http://127.0.0.1:1");
  equal(environment["CLAUDE_SECURESTORAGE_CONFIG_DIR"], "/w/login");
  equal(environment["NO_PROXY"], "internal,127.0.0.1");
  equal(environment["PATH"], "/bin");
  equal(environment["GREETING"], "hello");
});

Deno.test("isWithheld() lets the choice of a model and the limits pass", () => {
  const passing = [
    "ANTHROPIC_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
    "CLAUDE_CONFIG_DIR",
    "AWS_PROFILE",
  ];
  deepEqual(passing.filter(isWithheld), []);
  ok(isWithheld("ANTHROPIC_API_KEY"));
  ok(isWithheld("CLAUDE_CODE_TMPDIR"));
});

Deno.test("overridden() finds what would send requests elsewhere", () => {
  equal(overridden({ env: { ANTHROPIC_BASE_URL: "x" } }), "ANTHROPIC_BASE_URL");
  equal(overridden({ apiKeyHelper: "x" }), "apiKeyHelper");
  equal(overridden({ env: { EDITOR: "vi" }, apiKeyHelper: "" }), undefined);
});
