import { ok } from "node:assert/strict";
import { argumentsHoldCredential, holdsCredential } from "./credentials.ts";

const letters = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7jKl0nOp";

Deno.test("holdsCredential() knows names, shapes and opaque values", () => {
  const yes: readonly (readonly [string, string])[] = [
    ["ANTHROPIC_AUTH_TOKEN", "x1"],
    ["BRAVE_KEY", "abc"],
    ["GITLAB_PAT", "abc"],
    ["apiKey", "abc"],
    ["accessToken", "abc"],
    ["X", "ghp_" + letters.slice(0, 36)],
    ["X", letters.slice(0, 24)],
    ["DATABASE", "postgres://u:p@h/db"],
    ["Authorization", "Bearer abc"],
  ];
  for (const [name, value] of yes) ok(holdsCredential(name, value), name);
});

Deno.test("holdsCredential() leaves references, switches and plain values alone", () => {
  const no: readonly (readonly [string, string])[] = [
    ["GITHUB_TOKEN", "${GITHUB_TOKEN}"],
    ["Authorization", "Bearer ${TOKEN}"],
    ["CLAUDE_CODE_SKIP_BEDROCK_AUTH", "1"],
    ["CLAUDE_CODE_API_KEY_HELPER_TTL_MS", "3600000"],
    ["ANTHROPIC_MODEL", "claude-sonnet-4-5-20250929"],
    ["MAX_THINKING_TOKENS", "32000"],
    ["NODE_ENV", "development"],
    ["DATA", "/srv/data/Some0Long1Name2Of3A4Directory"],
  ];
  for (const [name, value] of no) ok(!holdsCredential(name, value), name);
});

Deno.test("argumentsHoldCredential() knows options, assignments and shapes", () => {
  const yes = [
    ["--api-key", "abcdef"],
    ["--api-key=abcdef"],
    ["TOKEN=abcdef"],
    ["-H", "Authorization: Bearer abcdef0123456789"],
    ["https://h/x?access_token=abcdef"],
  ];
  for (const args of yes) ok(argumentsHoldCredential(args), args.join(" "));
  const no = [
    ["-y", "@scope/server"],
    ["--key", "./id.pub"],
    ["--api-key", "${KEY}"],
    ["https://h/x?page=2"],
  ];
  for (const args of no) ok(!argumentsHoldCredential(args), args.join(" "));
});
