import { ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { AppError } from "./errors.ts";
import { parseSecretKey, secretKeyProblem } from "./secret_key.ts";

Deno.test("parseSecretKey() takes the keys that people use", () => {
  for (const key of ["gh-token", "NPM_TOKEN", "a", "0", "a.b.c", "_x", "con"]) {
    strictEqual(parseSecretKey(key), key);
  }
});

Deno.test("parseSecretKey() says what is wrong with others", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /it is empty$/],
    [".hidden", /it starts with a dot$/],
    ["-x", /it starts with a dash$/],
    ["a b", /only A-Z a-z 0-9 \. _ and - are allowed$/],
    ["a/b", /are allowed$/],
    ["a\n", /are allowed$/],
    ["ä", /are allowed$/],
    ["a?", /are allowed$/],
    ["a#1", /are allowed$/],
    ["x".repeat(101), /it has 101 characters/],
  ];
  for (const [text, message] of cases) {
    throws(() => parseSecretKey(text), { code: "NAME_INVALID", message }, text);
  }
});

Deno.test("parseSecretKey() takes no text that a file, a shell, a command or a reference reads in another way", () => {
  const text = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.string({ maxLength: 12, unit: "binary" }),
    fc.stringMatching(/^[A-Za-z0-9._ $"'\\/#?\n-]{0,12}$/),
  );
  fc.assert(
    fc.property(text, (key) => {
      const isKey = secretKeyProblem(key) === undefined;
      strictEqual(isKey, /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/.test(key), key);
      if (isKey) return;
      throws(() => parseSecretKey(key), (error) => error instanceof AppError);
    }),
    { numRuns: 20_000 },
  );
  ok(secretKeyProblem("a\n") !== undefined);
});
