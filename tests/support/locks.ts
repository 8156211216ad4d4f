/** Locks, for property tests. */
import fc from "fast-check";
import { type ItemName, nameProblem } from "../../src/base/ids.ts";
import type { Lock, LockedItem } from "../../src/manifest/mod.ts";

const hash = fc.string({
  unit: fc.constantFrom(..."0123456789abcdef"),
  minLength: 64,
  maxLength: 64,
});

const name = fc.oneof(
  fc.constantFrom("constructor", "__proto__", "toString", "1", "0.1", "true"),
  fc.string({
    unit: fc.constantFrom(..."abcXYZ019_.-"),
    minLength: 1,
    maxLength: 12,
  }),
).filter((text) => nameProblem(text) === undefined).map((n) => n as ItemName);

/** Any text that a manifest can hold. */
const source = fc.string({ unit: "binary", minLength: 1 })
  .filter((text) => !text.includes("\0"));

const item: fc.Arbitrary<LockedItem> = fc.record({
  name,
  source,
  subpath: fc.option(fc.constantFrom("a", "a/b", "ä/.x"), { nil: undefined }),
  pin: fc.string({ unit: "grapheme", minLength: 1 }),
  tree: hash,
}, { noNullPrototype: true });

const items = fc.uniqueArray(item, {
  selector: (one) => one.name.toLowerCase(),
  maxLength: 6,
});

/** Any lock that can be written. */
export const lock: fc.Arbitrary<Lock> = fc.record({
  plugins: items,
  skills: items,
  mcp: fc.dictionary(name, hash, { maxKeys: 5, noNullPrototype: true }),
  sandbox: fc.option(hash, { nil: undefined }),
}, { noNullPrototype: true });
