import assert from "node:assert/strict";
import plugin from "./layers.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The messages that the plugin gives for a file of the repository. */
function lint(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, ROOT + path, source)
    .map((diagnostic) => diagnostic.message);
}

Deno.test("import-direction allows lower layers, the named sideways edges and the module itself", () => {
  const allowed: [string, string][] = [
    ["src/env/open.ts", "../manifest/mod.ts"],
    ["src/env/open.ts", "../base/errors.ts"],
    ["src/env/open.ts", "../os/fs.ts"],
    ["src/env/open.ts", "./clone.ts"],
    ["src/agents/claude/flags.ts", "../../base/paths.ts"],
    ["src/agents/claude/flags.ts", "../agent.ts"],
    ["src/launch/plan.ts", "../env/mod.ts"],
    ["src/tx/journal.ts", "../store/mod.ts"],
    ["src/main.ts", "./cli/mod.ts"],
    ["src/main.ts", "./os/host.ts"],
    ["src/main.ts", "./main_launch.ts"],
    ["src/main_launch.ts", "./launch/shim.ts"],
    ["src/mod.ts", "./api/mod.ts"],
    ["scripts/build.ts", "../src/base/errors.ts"],
    ["src/env/open_test.ts", "../../tests/support/temp.ts"],
    ["scripts/demo.ts", "../tests/support/stub_api.ts"],
    ["tests/e2e/launch_test.ts", "../../src/launch/plan.ts"],
  ];
  for (const [path, specifier] of allowed) {
    assert.deepEqual(
      lint(path, `import { a } from "${specifier}";`),
      [],
      `${path} → ${specifier}`,
    );
  }
});

Deno.test("import-direction refuses imports up, sideways, past mod.ts and into tests", () => {
  const refused: [string, string, string][] = [
    ["src/env/a.ts", "../cli/mod.ts", "src/env must not import src/cli"],
    ["src/base/a.ts", "../os/fs.ts", "src/base must not import src/os"],
    ["src/env/a.ts", "../launch/mod.ts", "src/env must not import src/launch"],
    ["src/store/a.ts", "../tx/mod.ts", "src/store must not import src/tx"],
    [
      "src/verify/a.ts",
      "../doctor/mod.ts",
      "src/verify must not import src/doctor",
    ],
    ["src/cli/a.ts", "../env/open.ts", "Import src/env through its mod.ts"],
    [
      "src/mod.ts",
      "./env/mod.ts",
      "src/mod.ts may import src/api and nothing else",
    ],
    [
      "shim/tool.ts",
      "../src/base/errors.ts",
      "shim/ must not import anything outside itself",
    ],
    [
      "scripts/a.ts",
      "../src/os/fs.ts",
      "scripts/ may import src/base and nothing else of src/",
    ],
    [
      "src/env/a.ts",
      "../../tests/support/temp.ts",
      "Only tests may import tests/",
    ],
    [
      "src/env/a.ts",
      "../../scripts/build.ts",
      'src/ must not import "scripts/build.ts"',
    ],
  ];
  for (const [path, specifier, message] of refused) {
    for (
      const source of [
        `import { a } from "${specifier}";`,
        `export { a } from "${specifier}";`,
        `export * from "${specifier}";`,
        `await import("${specifier}");`,
      ]
    ) {
      assert.deepEqual(lint(path, source), [message], `${path}: ${source}`);
    }
  }
});

Deno.test("import-direction refuses a folder that is not in the layer table and a stray file", () => {
  assert.deepEqual(lint("src/helpers/a.ts", "export {};"), [
    "src/helpers is not in the layer table of scripts/lint/modules.ts",
  ]);
  assert.deepEqual(lint("src/util.ts", "export {};"), [
    "A file of src/ belongs into a module's folder",
  ]);
});

Deno.test("import-direction refuses import() of a computed name", () => {
  for (const argument of ["name", "`./${name}.ts`"]) {
    const found = lint("src/env/a.ts", `await import(${argument});`);
    assert.match(found.join(), /^import\(\) takes a literal/);
  }
});

Deno.test("effects-in-os refuses every door to the outside world", () => {
  const refused: [string, string][] = [
    ["Deno.readTextFileSync(p);", "Only src/os may use Deno"],
    ["const { env } = Deno;", "Only src/os may use Deno"],
    ["f(Deno);", "Only src/os may use Deno"],
    ["globalThis.Deno.cwd();", "Only src/os may use globalThis"],
    ["await fetch(u);", "Only src/os may use fetch"],
    ["const f = { fetch };", "Only src/os may use fetch"],
    ["console.log(1);", "Only src/os may use console"],
    ["Date.now();", "Only src/os may use Date.now"],
    ["new Date();", "Only src/os may use new Date()"],
    ["performance.now();", "Only src/os may use performance"],
    ["Math.random();", "Only src/os may use Math.random"],
    ["crypto.randomUUID();", "Only src/os may use crypto"],
    ["setTimeout(f, 10);", "Only src/os may use setTimeout"],
    ["process.exit();", "Only src/os may use process"],
    [
      'import { readFileSync } from "node:fs";',
      "Only src/os may import node:fs",
    ],
    ['import os from "node:os";', "Only src/os may import node:os"],
  ];
  for (const [source, message] of refused) {
    for (const path of ["src/env/a.ts", "src/base/a.ts", "src/main.ts"]) {
      assert.deepEqual(lint(path, source), [message], `${path}: ${source}`);
    }
    for (const path of ["src/os/a.ts", "src/env/a_test.ts", "scripts/a.ts"]) {
      assert.deepEqual(lint(path, source), [], `${path}: ${source}`);
    }
  }
});

Deno.test("effects-in-os lets pure code pass", () => {
  const allowed = [
    "if (error instanceof Deno.errors.NotFound) throw error;",
    "let file: Deno.FsFile | undefined;",
    "interface Clock { fetch(url: string): void; readonly console: string }",
    "new Date(0).toISOString();",
    "Math.max(1, 2);",
    "host.fetch(url); host.process.exit();",
    "function run(fetch: () => void) { fetch(); }",
    "const { fetch } = host; fetch(url);",
    'const text = { process: "x", "console": 1 };',
    'import { join } from "node:path";',
    'import type { Stats } from "node:fs";',
  ];
  for (const source of allowed) {
    assert.deepEqual(lint("src/env/a.ts", source), [], source);
  }
});
