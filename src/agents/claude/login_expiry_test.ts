import { strictEqual } from "node:assert/strict";
import { TempDir } from "../../../tests/support/temp.ts";
import type { AbsPath } from "../../base/paths.ts";
import { hasExpired } from "./login_expiry.ts";

Deno.test("hasExpired() goes by the time in the login, and takes what it cannot read for good", () => {
  using temp = new TempDir();
  const dir = temp.path as AbsPath;
  strictEqual(hasExpired(dir, 1), false);
  for (
    const [text, expected] of [
      ['{"claudeAiOauth": {"expiresAt": 1000}}', true],
      ['{"claudeAiOauth": {"expiresAt": 3000}}', false],
      ['{"claudeAiOauth": {}}', false],
      ['{"claudeAiOauth": "x"}', false],
      ["[]", false],
      ["{", false],
    ] as const
  ) {
    Deno.writeTextFileSync(`${dir}/.credentials.json`, text);
    strictEqual(hasExpired(dir, 2000), expected, text);
  }
});
