import assert from "node:assert/strict";
import plugin from "./budgets.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The messages that the plugin gives for a file of the repository. */
function lint(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, ROOT + path, source)
    .map((diagnostic) => diagnostic.message);
}

/** A function of exactly `lines` lines. */
function functionOf(lines: number): string {
  return `function f() {\n${"  a();\n".repeat(lines - 2)}}`;
}

Deno.test("file-length counts 400 lines, 500 in tests", () => {
  const ofLines = (count: number) => "a();\n".repeat(count);
  assert.deepEqual(lint("src/env/a.ts", ofLines(400)), []);
  assert.match(lint("src/env/a.ts", ofLines(401)).join(), /401 lines/);
  assert.deepEqual(lint("src/env/a_test.ts", ofLines(500)), []);
  assert.match(lint("tests/e2e/a_test.ts", ofLines(501)).join(), /501 lines/);
});

Deno.test("function-length refuses a function of 61 lines and a fourth parameter", () => {
  assert.deepEqual(lint("src/env/a.ts", functionOf(60)), []);
  assert.match(lint("src/env/a.ts", functionOf(61)).join(), /61 lines/);
  const arrow = functionOf(61).replace("function f()", "run(() =>") + ");";
  assert.match(lint("src/env/a.ts", arrow).join(), /61 lines/);
  assert.deepEqual(lint("src/env/a.ts", "function f(a, b, c) {}"), []);
  assert.match(
    lint("src/env/a.ts", "function f(a, b, c, d) {}").join(),
    /4 parameters/,
  );
});

Deno.test("exported-docs asks for a doc comment on every exported declaration outside tests", () => {
  const undocumented: [string, string][] = [
    ["export function f() {}", "f"],
    ["// plain\nexport const a = 1;", "a"],
    ["/* plain */ export class C {}", "C"],
    ["/** For d. */\nconst d = 1;\nexport interface I {}", "I"],
    ["export type T = string;", "T"],
  ];
  for (const [source, name] of undocumented) {
    assert.deepEqual(lint("src/env/a.ts", source), [
      `Exported ${name} has no doc comment`,
    ]);
    assert.deepEqual(lint("src/env/a_test.ts", source), []);
    const documented = source.replace("export", "/** Said: é 🙂 */\nexport");
    assert.deepEqual(lint("src/env/a.ts", "// 🙂 é\n" + documented), []);
  }
  const overloads =
    "/** Said. */\nexport function f(a: 1): 1;\nexport function f(a: 2): 2;\nexport function f(a: unknown) { return a; }";
  assert.deepEqual(lint("src/env/a.ts", overloads), []);
  assert.deepEqual(lint("src/env/mod.ts", 'export { a } from "./a.ts";'), []);
});

Deno.test("no-top-level-arrow asks for function declarations", () => {
  const message = ["Write f as a function declaration"];
  assert.deepEqual(lint("src/env/a.ts", "const f = () => 1;"), message);
  assert.deepEqual(
    lint("src/env/a.ts", "/** Said. */\nexport const f = () => 1;"),
    message,
  );
  assert.deepEqual(lint("src/env/a.ts", "a(() => 1);"), []);
  assert.deepEqual(lint("src/env/a.ts", "const f: Check = () => true;"), []);
  assert.deepEqual(
    lint("src/env/a.ts", "function g() { const f = () => 1; return f; }"),
    [],
  );
});
