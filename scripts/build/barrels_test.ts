import assert from "node:assert/strict";
import { flattenBarrels } from "./barrels.ts";

const FILES: Record<string, string> = {
  "/src/env/mod.ts": `/** Face. */
export { activeEnv, type ActiveEnv } from "./active.ts";
export {
  a,
  b as c,
} from "./ab.ts";
export type { T } from "./types.ts";
export * as claude from "./claude/mod.ts";
export { deep } from "./claude/mod.ts";
export function own() {}
`,
  "/src/env/claude/mod.ts": 'export { inner as deep } from "./inner.ts";\n',
};

function flatten(source: string): string {
  return flattenBarrels(source, "/src/cli/x.ts", (path) => {
    const text = FILES[path];
    assert.ok(text !== undefined, path);
    return text;
  });
}

Deno.test("flattenBarrels() imports each name from the file that defines it", () => {
  assert.equal(
    flatten(
      'import { activeEnv, type ActiveEnv,\n  c as d, deep } from "../env/mod.ts";\nrun();\n',
    ),
    'import { activeEnv as activeEnv } from "/src/env/active.ts";' +
      'import { b as d } from "/src/env/ab.ts";' +
      'import { inner as deep } from "/src/env/claude/inner.ts";\nrun();\n',
  );
});

Deno.test("flattenBarrels() keeps what a face defines itself, and whole modules", () => {
  assert.equal(
    flatten('import { own, claude } from "../env/mod.ts";'),
    'import { own as own } from "/src/env/mod.ts";' +
      'import * as claude from "/src/env/claude/mod.ts";',
  );
});

Deno.test("flattenBarrels() leaves other imports alone", () => {
  const source =
    'import { x } from "../os/fs.ts";\nimport type { T } from "../env/mod.ts";\nimport * as all from "../env/mod.ts";\n';
  assert.equal(flatten(source), source);
});
