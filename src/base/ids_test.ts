import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { AppError } from "./errors.ts";
import {
  isGlobal,
  MAX_NAME_LENGTH,
  nameProblem,
  parseEnvName,
  parseItemName,
} from "./ids.ts";

const GOOD = ["a", "A1", "_x", "my-env", "a.b", "0", "x".repeat(100), "globe"];

/** Names that must never become a path: what is wrong with each, in words. */
const BAD: readonly (readonly [string, RegExp])[] = [
  ["", /empty/],
  [".", /starts with a dot/],
  ["..", /starts with a dot/],
  [".hidden", /starts with a dot/],
  ["-x", /starts with a dash/],
  ["--force", /starts with a dash/],
  ["a/b", /only A-Z/],
  ["../x", /starts with a dot/],
  ["a\\b", /only A-Z/],
  ["a b", /only A-Z/],
  ["a\nb", /only A-Z/],
  ["a\n", /only A-Z/],
  ["a\0b", /only A-Z/],
  ["\u001b[31m", /only A-Z/],
  ["a".repeat(101), /has 101 characters, at most 100/],
  ["a".repeat(300), /has 300 characters/],
  ["\u0430dmin", /, not U\+0430$/], // Cyrillic а
  ["e\u0301", /only A-Z/], // é in two code points
  ["ａ", /only A-Z/], // full width a
  ["a\u200bb", /only A-Z/], // zero width space
  ["a\u202eb", /, not U\+202E$/], // right-to-left override
  ["ﬁle", /only A-Z/], // ligature
  ["a.", /ends with a dot/],
  ["con", /device name/],
  ["NUL.txt", /device name/],
  ["com1", /device name/],
  ["a\u{1f600}", /, not U\+1F600$/],
  ["~", /are allowed$/],
  ["$HOME", /only A-Z/],
  ["a;b", /only A-Z/],
  ["*", /only A-Z/],
];

Deno.test("parseEnvName() takes plain names as they are", () => {
  for (const name of GOOD) strictEqual(parseEnvName(name), name);
});

Deno.test("parseEnvName() refuses what could be a path, an option or a look-alike", () => {
  for (const [name, state] of BAD) {
    throws(() => parseEnvName(name), (error) => {
      strictEqual((error as AppError).code, "NAME_INVALID");
      return state.test((error as AppError).message);
    }, JSON.stringify(name));
  }
});

Deno.test("parseEnvName() reserves global in every case", () => {
  for (const name of ["global", "Global", "GLOBAL", "gLoBaL"]) {
    strictEqual(isGlobal(name), true);
    throws(() => parseEnvName(name), { code: "ENV_RESERVED" }, name);
  }
});

Deno.test("parseItemName() allows global and refuses the rest alike", () => {
  strictEqual(parseItemName("global"), "global");
  for (const [name] of BAD) {
    throws(() => parseItemName(name), { code: "NAME_INVALID" });
  }
});

Deno.test("nameProblem() is silent exactly for names that are one safe path component", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 120 }), (text) => {
      if (nameProblem(text) !== undefined) return;
      strictEqual(/^[A-Za-z0-9._-]+$/.test(text), true);
      strictEqual(/^[.-]|\.$/.test(text), false);
      strictEqual(text.length <= MAX_NAME_LENGTH, true);
    }),
    { numRuns: 500 },
  );
});

Deno.test("nameProblem() accepts every name of the grammar", () => {
  const first = fc.constantFrom(..."abcXYZ019_");
  const rest = fc.string({
    unit: fc.constantFrom(..."abcXYZ019_-"),
    maxLength: 99,
  });
  fc.assert(
    fc.property(first, rest, (head, tail) => {
      const name = head + tail;
      const isDevice = /^(con|prn|aux|nul|com\d|lpt\d)$/i.test(name);
      deepStrictEqual(nameProblem(name) === undefined, !isDevice);
    }),
  );
});

Deno.test("parseEnvName() fails with AppError and a printable message for any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      try {
        parseEnvName(text);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        // deno-lint-ignore no-control-regex
        strictEqual(/[\u0000-\u001f\u007f-\u009f]/.test(error.message), false);
        strictEqual(error.message.length < 1000, true);
      }
    }),
    { numRuns: 300 },
  );
});
