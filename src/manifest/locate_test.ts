import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { parse } from "smol-toml";
import { locate, type Place } from "./locate.ts";

type Path = readonly (string | number)[];

const TEXT = `# env = { name = "comment" }
top = 1
"quoted key" = 2
[env]   # a comment
  name = "x"
description = """
[fake]
isolation = "text"
"""
isolation = 'a = "b"'
compat = { claude = "2", codex = "3" }
[mcp."a.b"]
command = "[mcp.z]"
args = [
  "command = 1",
  "two",
]
env.KEY = "v"
[[plugins.enabled]]
name = "a"
[[plugins.enabled]]
name = "b"
source = "name = c"
[[plugins.enabled.deep]]
x = 1
[ spaced . out ]
y = 1
`;

Deno.test("locate() finds keys, headers, elements and keys of inline tables", () => {
  const cases: readonly (readonly [Path, Place])[] = [
    [["top"], { line: 2, column: 1 }],
    [["quoted key"], { line: 3, column: 1 }],
    [["env"], { line: 4, column: 1 }],
    [["env", "name"], { line: 5, column: 3 }],
    [["env", "description"], { line: 6, column: 1 }],
    [["env", "isolation"], { line: 10, column: 1 }],
    [["env", "compat", "claude"], { line: 11, column: 12 }],
    [["env", "compat", "codex"], { line: 11, column: 26 }],
    [["mcp", "a.b"], { line: 12, column: 1 }],
    [["mcp", "a.b", "command"], { line: 13, column: 1 }],
    [["mcp", "a.b", "args", 1], { line: 14, column: 1 }],
    [["mcp", "a.b", "env", "KEY"], { line: 18, column: 1 }],
    [["plugins", "enabled"], { line: 19, column: 1 }],
    [["plugins", "enabled", 0, "name"], { line: 20, column: 1 }],
    [["plugins", "enabled", 1], { line: 21, column: 1 }],
    [["plugins", "enabled", 1, "name"], { line: 22, column: 1 }],
    [["plugins", "enabled", 1, "source"], { line: 23, column: 1 }],
    [["plugins", "enabled", 1, "deep", 0, "x"], { line: 25, column: 1 }],
    [["spaced", "out", "y"], { line: 27, column: 1 }],
  ];
  for (const [path, place] of cases) {
    deepStrictEqual(locate(TEXT, path), place, JSON.stringify(path));
  }
});

Deno.test("locate() falls back to the nearest enclosing key", () => {
  deepStrictEqual(locate(TEXT, ["env", "missing"]), { line: 4, column: 1 });
  deepStrictEqual(locate(TEXT, ["plugins", "enabled", 1, "subpath"]), {
    line: 21,
    column: 1,
  });
});

Deno.test("locate() knows no place for the document or for what is not written", () => {
  strictEqual(locate(TEXT, []), undefined);
  strictEqual(locate("", ["env"]), undefined);
});

Deno.test("locate() counts lines alike with CRLF", () => {
  const crlf = TEXT.replaceAll("\n", "\r\n");
  deepStrictEqual(locate(crlf, ["env", "name"]), { line: 5, column: 3 });
  deepStrictEqual(locate(crlf, ["plugins", "enabled", 1, "name"]), {
    line: 22,
    column: 1,
  });
});

Deno.test("locate() points at the line of every plain key in a generated document", () => {
  const key = fc.string({
    unit: fc.constantFrom(..."abcd_-1"),
    minLength: 1,
    maxLength: 8,
  });
  const table = fc.tuple(
    key,
    fc.uniqueArray(key, { minLength: 1, maxLength: 5 }),
  );
  const tables = fc.uniqueArray(table, {
    maxLength: 5,
    selector: ([name]) => name,
  });
  fc.assert(fc.property(tables, fc.string(), (sections, noise) => {
    const value = JSON.stringify(noise.replace(/[^ -~]/g, ""));
    const lines: string[] = [];
    const expected: [Path, number][] = [];
    for (const [name, keys] of sections) {
      expected.push([[name], lines.push(`[${name}]`)]);
      for (const key of keys) {
        expected.push([[name, key], lines.push(`${key} = ${value}`)]);
      }
    }
    const text = lines.join("\n");
    parse(text);
    for (const [path, line] of expected) {
      deepStrictEqual(locate(text, path), { line, column: 1 });
    }
  }));
});

Deno.test("locate() gives a place inside the text for any text and any path", () => {
  const part = fc.oneof(fc.string(), fc.nat({ max: 3 }));
  fc.assert(fc.property(
    fc.string({ unit: fc.constantFrom(..."ab=[]{}\"'.#\n\r \\,1") }),
    fc.array(part, { maxLength: 4 }),
    (text, path) => {
      const place = locate(text, path);
      if (place === undefined) return;
      const line = text.split("\n")[place.line - 1];
      ok(line !== undefined && place.column <= line.length + 1);
    },
  ));
});
