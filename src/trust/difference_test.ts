import { deepStrictEqual } from "node:assert/strict";
import { differenceLines, differences } from "./difference.ts";
import type { Shown } from "./types.ts";

function shown(parts: Partial<Shown>): Shown {
  return { text: "", items: [], files: {}, ...parts };
}

function lines(before: Partial<Shown>, now: Partial<Shown>): string[] {
  return differenceLines(differences(shown(before), shown(now)));
}

Deno.test("differences() tells items that came, went and changed, line by line", () => {
  const before = [
    { title: "a", lines: ["1", "2", "2"] },
    { title: "b", lines: ["x"] },
    { title: "same", lines: ["y"] },
  ];
  const now = [
    { title: "a", lines: ["1", "2", "3"] },
    { title: "c", lines: ["z"] },
    { title: "same", lines: ["y"] },
  ];
  deepStrictEqual(lines({ items: before }, { items: now }), [
    "changed: a",
    "  - 2",
    "  + 3",
    "added: c",
    "  + z",
    "removed: b",
    "  - x",
  ]);
});

Deno.test("differences() tells a mere change of order", () => {
  const before = [{ title: "a", lines: ["1", "2"] }];
  const now = [{ title: "a", lines: ["2", "1"] }];
  deepStrictEqual(lines({ items: before }, { items: now }), ["changed: a"]);
});

Deno.test("differences() shows the manifest's lines where no item tells what changed, made safe to print", () => {
  deepStrictEqual(lines({ text: "a\nb" }, { text: "a\n# \u001b[2J" }), [
    "changed: aenv.toml",
    "  - b",
    "  + # \\u001b[2J",
  ]);
  const items = [{ title: "a", lines: [] }];
  deepStrictEqual(lines({ text: "a" }, { text: "b", items }), ["added: a"]);
});

Deno.test("differences() names the files of a tree that changed, whatever they are called", () => {
  const hash = (digit: string) => `file ${digit.repeat(64)}`;
  const before = Object.fromEntries([["x\n", hash("1")], ["y", hash("2")]]);
  const now = Object.fromEntries([
    ["x\n", hash("3")],
    ["y", hash("2")],
    ["__proto__", "link to y"],
    ["constructor", "directory"],
  ]);
  deepStrictEqual(
    lines({ files: { "plugin p": before } }, { files: { "plugin p": now } }),
    [
      "changed: files of plugin p",
      "  - x\\u000a: file 111111111111",
      "  + __proto__: link to y",
      "  + constructor: directory",
      "  + x\\u000a: file 333333333333",
    ],
  );
});

Deno.test("differences() is silent about what is the same", () => {
  const same = { text: "a", items: [{ title: "a", lines: ["1"] }] };
  deepStrictEqual(lines(same, same), []);
});
