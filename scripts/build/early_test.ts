import assert from "node:assert/strict";
import { compileEarly, markFunctions, recordFunctions } from "./early.ts";

const MODULE = `
export const seen = [];
export function plain(a, b = [a]) { seen.push("plain"); return b.length + twice(a); }
function twice(n) { "use strict"; return n < 2 ? 2 * n : twice(n - 1) + 2; }
export async function later(text) { return await inner(text); }
async function inner(text) { return text + "}"; }
export function* count(to) { for (let i = 0; i < to; i++) yield i; }
function never() { return "(" + ")"; }
export function first() { return typeof never; }
export class Holder { plain() { return plain(1); } }
export const value = plain(3);
`;
const NAMES = ["plain", "twice", "later", "inner", "count", "first"];

async function load(code: string): Promise<Record<string, unknown>> {
  return await import(`data:text/javascript,${encodeURIComponent(code)}`);
}

// deno-lint-ignore no-explicit-any
async function useAll(module: any): Promise<unknown[]> {
  return [
    ...[module.value, module.plain(5), await module.later("x")],
    ...[[...module.count(3)], new module.Holder().plain(), module.seen],
    ...[module.plain.name, module.plain.length, module.later.name],
    module.first(),
  ];
}

Deno.test("compileEarly() gives a module that does the same, whatever is marked", async () => {
  const plain = await useAll(await load(MODULE));
  for (let bits = 0; bits < 1 << NAMES.length; bits++) {
    const names = new Set(NAMES.filter((_, i) => (bits >> i & 1) === 1));
    // What the bundler makes of it exports at its end.
    const marked = markFunctions(MODULE, names)
      .replaceAll(/^export (async |)function/gm, "$1function") +
      "export{plain,later,count,first};";
    const early = compileEarly(marked);
    assert.doesNotMatch(early, /@early/);
    const moved = names.size === 0 ? 0 : early.indexOf("export const seen");
    assert.ok([...names].every((name) => early.indexOf(name) < moved));
    assert.deepEqual(await useAll(await load(early)), plain);
  }
});

Deno.test("compileEarly() moves what is marked for later only in a file that is loaded later", async () => {
  const marked = markFunctions(MODULE, new Set(["plain"]), new Set(["twice"]))
    .replaceAll(/^export (async |)function/gm, "$1function") +
    "export{plain,later,count,first};";
  const isMoved = (code: string, name: string) => {
    const at = code.indexOf(`${name}=(function(`);
    return at >= 0 && at < code.indexOf("export const seen");
  };
  const plain = await useAll(await load(MODULE));
  for (const isLater of [false, true]) {
    const code = compileEarly(marked, { isLater });
    assert.doesNotMatch(code, /@early|@later/);
    assert.equal(isMoved(code, "plain"), true);
    assert.equal(isMoved(code, "twice"), isLater);
    assert.deepEqual(await useAll(await load(code)), plain);
  }
});

Deno.test("recordFunctions() tells each time a function at the top of a file runs", async () => {
  const ran: string[] = [];
  Reflect.set(globalThis, "__ran", (name: string) => ran.push(name));
  try {
    await useAll(await load(recordFunctions(MODULE, "a/b.ts")));
  } finally {
    Reflect.deleteProperty(globalThis, "__ran");
  }
  assert.deepEqual([...new Set(ran)].sort(), [
    ...["count", "first", "inner", "later", "plain", "twice"].map((name) =>
      `a/b.ts ${name}`
    ),
  ]);
});

Deno.test("what is compiled early is there: the list is not much older than the source", async () => {
  const root = new URL("../..", import.meta.url).pathname;
  const lists: Record<string, string[]> = JSON.parse(
    await Deno.readTextFile(`${root}/scripts/build/early.json`),
  );
  for (const [role, lines] of Object.entries(lists)) {
    const lost: string[] = [];
    for (const line of lines) {
      const [file, name] = line.split(" ") as [string, string];
      const text = await Deno.readTextFile(`${root}/${file}`).catch(() => "");
      const pattern = new RegExp(
        `^(export )?(async )?function\\*? ${name}\\b`,
        "m",
      );
      if (!pattern.test(text)) lost.push(line);
    }
    assert.ok(
      lost.length <= lines.length / 10,
      `run "deno task record-starts": ${role} has no ${lost.join(", ")}`,
    );
  }
});
