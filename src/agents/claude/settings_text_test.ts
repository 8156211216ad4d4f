import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  insertVariable,
  newSettings,
  removeVariable,
  variableIn,
} from "./settings_text.ts";

Deno.test("insertVariable() keeps the layout that it finds", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["{}", '{\n  "env": {\n    "N": "v"\n  }\n}'],
    ['{"a":1}', '{"env": {"N": "v"},"a":1}'],
    [
      '{\n  "a": 1\n}\n',
      '{\n  "env": {\n    "N": "v"\n  },\n  "a": 1\n}\n',
    ],
    [
      '{\n\t"a": 1,\n\t"env": {\n\t\t"A": "1"\n\t}\n}',
      '{\n\t"a": 1,\n\t"env": {\n\t\t"N": "v",\n\t\t"A": "1"\n\t}\n}',
    ],
    ['{"env":{}}', '{"env":{"N": "v"}}'],
    ['{ "env" : { "A" : "}" } }', '{ "env" : { "N": "v", "A" : "}" } }'],
    ['{\r\n  "a": []\r\n}', undefined],
  ];
  for (const [before, after] of cases) {
    const found = insertVariable(before, "N", "v")!;
    if (after !== undefined) strictEqual(found.text, after);
    const { text, at, piece } = found;
    strictEqual(text.slice(0, at) + text.slice(at + piece.length), before);
  }
});

Deno.test("insertVariable() leaves alone what it cannot read", () => {
  for (
    const text of ["", "[]", "{", '{"env": []}', '{"env": "x"}', "// x\n{}"]
  ) {
    strictEqual(insertVariable(text, "N", "v"), undefined, text);
  }
});

Deno.test("removeVariable() takes out the one member", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['{"env":{"N":"v"}}', '{"env":{}}'],
    ['{"env":{"N":"v","A":"1"}}', '{"env":{"A":"1"}}'],
    [
      '{\n  "env": {\n    "A": "1",\n    "N": "v"\n  }\n}',
      '{\n  "env": {\n    "A": "1"\n  }\n}',
    ],
    ['{"env":{"A":"N"}}', undefined],
    ['{"N":"v"}', undefined],
    ["{", undefined],
  ];
  for (const [before, after] of cases) {
    strictEqual(removeVariable(before, "N"), after, before);
  }
});

Deno.test("newSettings() is read back", () => {
  strictEqual(variableIn(newSettings("N", 'a"b'), "N"), 'a"b');
});

/** JSON.parse of V8 14 may take the key `"\\""` for a backslash when it has seen that as a key before. */
const key = fc.oneof(
  fc.constantFrom("env", "A", "{", "}", '"', 'a"b'),
  fc.string().filter((text) => !text.startsWith("\\")),
);
const layout = fc.constantFrom(undefined, 2, 4, "\t");
const value = fc.jsonValue({ maxDepth: 0 });
const settings = fc.dictionary(
  key,
  fc.oneof(value, fc.array(value), fc.dictionary(key, value)),
);

Deno.test("insertVariable() and removeVariable() change nothing else, in any settings", () => {
  const env = fc.option(
    fc.dictionary(key, fc.string(), { maxKeys: 3 }),
    { nil: undefined },
  );
  fc.assert(
    fc.property(settings, env, layout, fc.string(), (rest, env, indent, v) => {
      const { env: _, N: __, ...others } = rest;
      const value = env === undefined
        ? others
        : { ...others, env: { ...env, N: undefined } };
      const before = JSON.stringify(value, undefined, indent);
      const found = insertVariable(before, "N", v)!;
      strictEqual(variableIn(found.text, "N"), v);
      const { text, at, piece } = found;
      strictEqual(text.slice(0, at) + text.slice(at + piece.length), before);
      const removed = JSON.parse(removeVariable(text, "N")!);
      if (env === undefined) delete removed.env;
      deepStrictEqual(removed, JSON.parse(before));
    }),
    { numRuns: 3000 },
  );
});
