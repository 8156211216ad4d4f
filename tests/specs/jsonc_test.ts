import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { findValue, parseJsonc } from "./jsonc.ts";
import { replaceValue } from "./update.ts";

const TEXT = `// { "a": 0 }
{
  "a": [1, { "b": "x // no comment" }, "}]\\"",],
  /* "c": 1 */
  "c" : null, // trailing
}
`;

Deno.test("parseJsonc() reads comments and trailing commas away, and leaves strings alone", () => {
  deepStrictEqual(parseJsonc(TEXT), {
    a: [1, { b: "x // no comment" }, '}]"'],
    c: null,
  });
});

Deno.test("parseJsonc() refuses what is no JSON", () => {
  for (const text of ["", "{", "{ a: 1 }", "[1 2]"]) {
    throws(() => parseJsonc(text), SyntaxError);
  }
});

Deno.test("findValue() finds the text of a value", () => {
  const at = (...path: (string | number)[]) => {
    const span = findValue(TEXT, path);
    return span && TEXT.slice(span.start, span.end);
  };
  strictEqual(at("a", 1, "b"), '"x // no comment"');
  strictEqual(at("a", 2), '"}]\\""');
  strictEqual(at("c"), "null");
  strictEqual(at("a", 3), undefined);
  strictEqual(at("d"), undefined);
});

Deno.test("findValue() finds every value of any document", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
    const text = "/* c */ " + JSON.stringify(value, undefined, 2);
    const visit = (part: unknown, path: (string | number)[]): void => {
      const { start, end } = findValue(text, path)!;
      deepStrictEqual(JSON.parse(text.slice(start, end)), part);
      if (typeof part !== "object" || part === null) return;
      for (const [key, item] of Object.entries(part)) {
        visit(item, [...path, Array.isArray(part) ? Number(key) : key]);
      }
    };
    visit(JSON.parse(JSON.stringify(value)), []);
  }));
});

Deno.test("replaceValue() changes one value, or adds it, and keeps the comments", () => {
  const changed = replaceValue(TEXT, ["a", 1, "b"], '"new"');
  strictEqual(changed, TEXT.replace('"x // no comment"', '"new"'));
  const added = replaceValue(TEXT, ["a", 1, "z"], "7");
  deepStrictEqual(parseJsonc(added), {
    a: [1, { z: 7, b: "x // no comment" }, '}]"'],
    c: null,
  });
});
