import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { looksLikeCredential, redact } from "./redact.ts";

// Put together here, so that no scanner takes the tests themselves for a leak.
const letters = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7jKl0nOp";
const TOKENS: readonly string[] = [
  "sk-ant-" + "api03-" + letters,
  "sk-" + letters,
  ..."pousr".split("").map((kind) => `gh${kind}_` + letters.slice(0, 36)),
  "github_pat_" + letters,
  "glpat-" + letters.slice(0, 20),
  "npm_" + letters.slice(0, 36),
  "xoxb-" + "1234567890-" + letters.slice(0, 12),
  "AKIA" + "ABCDEFGHIJ234567",
  "AIza" + letters.slice(0, 35),
  "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + letters.slice(0, 20),
];

Deno.test("redact() masks the tokens of well-known services wherever they stand", () => {
  for (const token of TOKENS) {
    for (const text of [token, `x=${token};`, `"${token}"`, `a ${token}\nb`]) {
      const shown = redact(text);
      ok(!shown.includes(token), text);
      ok(!shown.includes(token.slice(12)), `rest of ${text}: ${shown}`);
      ok(shown.includes("[redacted]"));
    }
  }
});

Deno.test("redact() masks a private key as a whole, also a cut one", () => {
  const head = "-----BEGIN " + "OPENSSH PRIVATE KEY-----";
  const whole = `${head}\nabc\ndef\n-----END OPENSSH PRIVATE KEY-----`;
  strictEqual(redact(`a\n${whole}\nb`), "a\n[redacted]\nb");
  strictEqual(redact(`a\n${head}\nabc`), "a\n[redacted]");
});

Deno.test("redact() masks headers and URLs with credentials and keeps the rest readable", () => {
  strictEqual(
    redact("Authorization: Bearer abcdef0123456789"),
    "Authorization: Bearer [redacted]",
  );
  strictEqual(
    redact("authorization: basic dXNlcjpwYXNzd29yZA=="),
    "authorization: basic [redacted]",
  );
  strictEqual(
    redact("git+https://me:hunter2@host.example/x?y=1"),
    "git+https://[redacted]@host.example/x?y=1",
  );
  strictEqual(
    redact("https://0123456789abcdef0123@host.example/x"),
    "https://[redacted]@host.example/x",
  );
});

Deno.test("redact() leaves ordinary text alone", () => {
  const ordinary = [
    'aenv: Cannot find environment "sk-env": there is none of that name',
    "https://example.com:8080/path?user=me@example.com",
    "ssh://git@github.com/acme/plugins",
    "git+ssh://git@host.example/x.git#v2",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "sha256:" + "0123456789abcdef".repeat(4),
    "the bearer of this letter",
    "basic usage of the tool",
    "/home/me/project/node_modules/.bin/tsc",
    "npm_config_registry npm_lifecycle_event",
    "ask-anthropic-about-this task-force risk-averse-people-and-others",
    "~/.aenv/envs/review-3a4b5c6d/claude",
    "Bearer [redacted]",
    "-----BEGIN CERTIFICATE-----",
    'line 3, column 14: unknown key "tokens"',
    "",
  ];
  for (const text of ordinary) strictEqual(redact(text), text);
});

Deno.test("redact() masks a given value in plain, URL, base64 and base64url form", () => {
  const secret = "p?s>w~rd/ü+%";
  const base64 = btoa(
    String.fromCharCode(...new TextEncoder().encode(secret)),
  );
  const base64url = base64.replaceAll("+", "-").replaceAll("/", "_")
    .replace(/=+$/, "");
  for (const form of [secret, encodeURIComponent(secret), base64, base64url]) {
    strictEqual(redact(`<${form}>`, [secret]).includes(form), false, form);
  }
});

Deno.test("redact() masks the longer of two values that share a start", () => {
  strictEqual(redact("token-long", ["token", "token-long"]), "[redacted]");
});

Deno.test("redact() ignores values too short to be told from text", () => {
  strictEqual(redact("yes and no", ["", "no", "yes"]), "yes and no");
});

Deno.test("redact() is done after one pass", () => {
  fc.assert(fc.property(
    fc.string(),
    fc.constantFrom(...TOKENS, "Bearer abcdefgh", "https://a:b@c"),
    (text, token) => {
      const once = redact(text + token);
      strictEqual(redact(once), once);
    },
  ));
});

Deno.test("looksLikeCredential() goes by the name or by the value", () => {
  const yes: readonly (readonly [string, string])[] = [
    ["GITHUB_TOKEN", "x"],
    ["api_key", "x"],
    ["APIKEY", "x"],
    ["X-Api-Key", "x"],
    ["Authorization", "x"],
    ["DB_PASSWORD", "x"],
    ["AWS_SECRET_ACCESS_KEY", "x"],
    ["ANYTHING", TOKENS[0]!],
    ["DSN", "postgres://me:pw@host/db"],
  ];
  for (const [name, value] of yes) ok(looksLikeCredential(name, value), name);
});

Deno.test("looksLikeCredential() says no to plain settings, empty values and references", () => {
  const no: readonly (readonly [string, string])[] = [
    ["NODE_ENV", "production"],
    ["TOKENIZERS_PARALLELISM", "false"],
    ["AUTHOR", "me"],
    ["KEYBOARD", "de"],
    ["MONKEY", "x"],
    ["GITHUB_TOKEN", ""],
    ["GITHUB_TOKEN", "${secret:gh-token}"],
    ["GITHUB_TOKEN", "${GH}"],
  ];
  for (const [name, value] of no) {
    strictEqual(looksLikeCredential(name, value), false, name);
  }
});
