import assert from "node:assert/strict";
import { findCopies, findCycles } from "./tree.ts";

Deno.test("findCycles() names each cycle once, whatever kind of import makes it", () => {
  const sources = new Map([
    ["src/env/a.ts", 'import { b } from "./b.ts";'],
    ["src/env/b.ts", 'export * from "../store/c.ts";'],
    ["src/store/c.ts", 'await import("../env/a.ts");'],
    ["src/store/d.ts", 'import "./c.ts";'],
    ["src/store/e.ts", 'import {\n  type A,\n} from "./e.ts";'],
  ]);
  assert.deepEqual(findCycles(sources), [
    ["src/env/a.ts", "src/env/b.ts", "src/store/c.ts"],
    ["src/store/e.ts"],
  ]);
});

Deno.test("findCycles() finds none where two files import a third", () => {
  const sources = new Map([
    ["src/env/a.ts", 'import { b } from "./b.ts"; import "./c.ts";'],
    ["src/env/b.ts", 'import { c } from "./c.ts";'],
    ["src/env/c.ts", 'import { join } from "node:path";'],
  ]);
  assert.deepEqual(findCycles(sources), []);
});

const STATEMENTS = ["one();", "two();", "three();", "four();", "five();"];

Deno.test("findCopies() reports six equal lines under another layout", () => {
  const six = [...STATEMENTS, "six();"];
  const sources = new Map([
    ["a.ts", `before();\n${six.join("\n")}\nafter();`],
    ["b.ts", `// said\n\n  other();\n  ${six.join("\n\n  // why\n  ")}\n}\n`],
  ]);
  assert.deepEqual(findCopies(sources), [
    { first: "a.ts:2", second: "b.ts:4", lines: 6 },
  ]);
});

Deno.test("findCopies() leaves five equal lines, imports and brackets alone", () => {
  const imports = Array.from({ length: 8 }, (_, i) => `import "./${i}.ts";`);
  const text = [...imports, ...STATEMENTS, "});", "}", "]);", "}"].join("\n");
  assert.deepEqual(findCopies(new Map([["a.ts", text], ["b.ts", text]])), []);
});

Deno.test("findCopies() reports a copy inside one file once, with its length", () => {
  const seven = [...STATEMENTS, "six();", "seven();"].join("\n");
  const sources = new Map([["a.ts", `${seven}\nbetween();\n${seven}`]]);
  assert.deepEqual(findCopies(sources), [
    { first: "a.ts:1", second: "a.ts:9", lines: 7 },
  ]);
});
