import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { AppError } from "../base/errors.ts";
import { lock } from "../../tests/support/locks.ts";
import {
  type Declaration,
  declarationHash,
  type Lock,
  type LockedItem,
  parseLock,
  printLock,
} from "./mod.ts";

function sorted(one: Lock): Lock {
  const byName = (a: LockedItem, b: LockedItem) => a.name < b.name ? -1 : 1;
  return {
    ...one,
    plugins: [...one.plugins].sort(byName),
    skills: [...one.skills].sort(byName),
  };
}

Deno.test("parseLock() reads exactly what printLock() was given, and printing it again gives the same bytes", () => {
  fc.assert(
    fc.property(lock, (one) => {
      const text = printLock(one);
      const read = parseLock(text, "l");
      deepStrictEqual(read, sorted(one));
      strictEqual(printLock(read), text);
      ok(text.endsWith("\n") && !text.endsWith("\n\n") && !/\r/.test(text));
    }),
    { numRuns: 5000 },
  );
});

Deno.test("printLock() does not depend on the order of what it is given", () => {
  const shuffled = lock.chain((one) =>
    fc.record({
      one: fc.constant(one),
      plugins: fc.shuffledSubarray([...one.plugins], {
        minLength: one.plugins.length,
      }),
      mcp: fc.shuffledSubarray(Object.entries(one.mcp), {
        minLength: Object.keys(one.mcp).length,
      }),
    })
  );
  fc.assert(
    fc.property(shuffled, ({ one, plugins, mcp }) => {
      const other = { ...one, plugins, mcp: Object.fromEntries(mcp) };
      strictEqual(printLock(other), printLock(one));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("printLock() writes no line twice, but for blank ones", () => {
  fc.assert(
    fc.property(lock, (one) => {
      const lines = printLock(one).split("\n").filter((line) => line !== "");
      strictEqual(new Set(lines).size, lines.length);
    }),
    { numRuns: 1000 },
  );
});

/** Reads or refuses; anything but a refusal of the proper kind is thrown. */
function parseOrRefuse(text: string): void {
  try {
    parseLock(text, "l");
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    strictEqual(error.code, "LOCK_INVALID");
    // deno-lint-ignore no-control-regex
    ok(!/[\u0000-\u0009\u000b-\u001f]/.test(error.message), error.message);
  }
}

const WORDS = [
  ..."[]{}=.,\"'#\n\r\t \\",
  'aenv_lock_version = "1"\n',
  "[plugins.a]\n",
  "[[skills]]\n",
  "mcp.",
  "sandbox.policy",
  "__proto__",
  "constructor",
  "source",
  "subpath",
  "pin",
  "tree",
  "sha256-",
  "1979-05-27",
  "nan",
  "<<<<<<< a\n",
  ">>>>>>> b\n",
];

Deno.test("parseLock() reads or refuses any text, and never crashes", () => {
  const text = fc.array(
    fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: "binary" })),
    { maxLength: 30 },
  ).map((parts) => parts.join(""));
  fc.assert(fc.property(text, (any) => parseOrRefuse(any)), { numRuns: 5000 });
});

Deno.test("parseLock() reads or refuses any lock that somebody has damaged", () => {
  const damage = fc.record({
    lock,
    at: fc.nat(),
    length: fc.nat({ max: 40 }),
    put: fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: "binary" })),
  });
  fc.assert(
    fc.property(damage, ({ lock, at, length, put }) => {
      const text = printLock(lock);
      const start = at % text.length;
      parseOrRefuse(text.slice(0, start) + put + text.slice(start + length));
    }),
    { numRuns: 5000 },
  );
});

const { value } = fc.letrec<{ value: Declaration }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.constantFrom<Declaration>("", "a", "1", "[]", "null", null, true, 1, 10),
    fc.string({ maxLength: 4 }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "ab", "", '"', "1"), tie("value"), {
      maxKeys: 3,
    }),
  ),
}));

/** Written in another way than the code under test does: no text of one value is the text of another. */
function shape(one: Declaration): string {
  if (typeof one !== "object" || one === null) return `${typeof one} ${one};`;
  const parts = Array.isArray(one)
    ? one.map((item) => shape(item))
    : Object.entries(one).map(([key, item]) =>
      `${key.length}:${key}=${shape(item)}`
    )
      .sort();
  const body = parts.map((part) => `<${part.length}>${part}`).join("");
  return `${Array.isArray(one) ? "list" : "table"} ${body};`;
}

Deno.test("declarationHash() gives different values different hashes, and equal ones the same", () => {
  const byHash = new Map<string, string>();
  fc.assert(
    fc.property(value, (one) => {
      const key = declarationHash(one);
      ok(/^[0-9a-f]{64}$/.test(key));
      const known = byHash.get(key);
      if (known !== undefined) strictEqual(shape(one), known);
      byHash.set(key, shape(one));
    }),
    { numRuns: 10_000 },
  );
  const shapes = new Set(byHash.values());
  strictEqual(shapes.size, byHash.size);
  ok(byHash.size > 1000, `only ${byHash.size} different values`);
});
