import { strictEqual } from "node:assert/strict";
import { startsCodex } from "./codex_words.ts";

Deno.test("startsCodex() finds Codex among the words of a command", () => {
  const found = [
    ["codex", "exec", "hi"],
    ["/opt/node/bin/codex"],
    ["npx", "@openai/codex", "exec"],
    ["npx", "-y", "@openai/codex@0.169.0"],
    ["npx", "--no-install", "codex"],
    ["timeout", "60", "codex"],
    ["node", "/opt/codex/bin/codex.js"],
    ["bash", "-c", "cd x && codex exec hi"],
    ["/bin/sh", "-ec", "(codex --version;true)"],
  ];
  for (const words of found) {
    strictEqual(startsCodex(words), true, words.join(" "));
  }
  const others = [
    ["bash"],
    ["claude", "-p", "ask codex"],
    ["codexa"],
    ["npx", "@openai/codex-sdk"],
    ["bash", "-c", "claude -p codexes"],
    [],
  ];
  for (const words of others) {
    strictEqual(startsCodex(words), false, words.join(" "));
  }
});
