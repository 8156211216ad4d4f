import { notStrictEqual, strictEqual } from "node:assert/strict";
import { byteLength, entryNameProblem, foldCase } from "./tree_names.ts";

Deno.test("entryNameProblem() takes the names that every system can have", () => {
  const names = [
    "a",
    ".hidden",
    "with space",
    "SKILL.md",
    "한국어.md",
    "🎉",
    "a:b",
    "console.txt",
    "x".repeat(255),
    "é".repeat(127),
  ];
  for (const name of names) strictEqual(entryNameProblem(name), undefined);
});

Deno.test("entryNameProblem() says why a name cannot be everywhere", () => {
  const cases: [string, RegExp][] = [
    ["", /no name/],
    [".", /no name/],
    ["..", /no name/],
    ["a\0b", /NUL/],
    ["a\nb", /control/],
    ["a\x1b[31m", /control/],
    ["a\u0085", /control/],
    ["a\\b", /backslash/],
    ["a/b", /slash/],
    ["a.", /ends in a dot/],
    ["a ", /ends in a dot or a space/],
    ["...", /ends in a dot/],
    ["NUL", /device/],
    ["con.md", /device/],
    ["aux .txt", /device/],
    ["COM¹", /device/],
    ["\ud800", /not UTF-8/],
    ["bad\ufffd", /not UTF-8/],
    ["x".repeat(256), /too long/],
    ["é".repeat(128), /too long/],
  ];
  for (const [name, problem] of cases) {
    strictEqual(problem.test(entryNameProblem(name) ?? ""), true, name);
  }
});

Deno.test("foldCase() makes names alike that some file system takes for one", () => {
  const pairs = [
    ["README.md", "readme.MD"],
    ["caf\u00e9", "cafe\u0301"],
    ["CAF\u00c9", "cafe\u0301"],
    ["stra\u00dfe", "STRASSE"],
    ["\u03c3", "\u03c2"],
    ["\u212a", "k"],
  ];
  for (const [a, b] of pairs) strictEqual(foldCase(a!), foldCase(b!));
  notStrictEqual(foldCase("a"), foldCase("a\u0301"));
});

Deno.test("byteLength() counts bytes of UTF-8", () => {
  strictEqual(byteLength("ab"), 2);
  strictEqual(byteLength("é🎉"), 6);
});
