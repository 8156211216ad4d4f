import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { decodeMessage, encodeCall, messageLength } from "./message.ts";
import {
  splitSignature,
  type Value,
  WireError,
  WireReader,
  WireWriter,
} from "./wire.ts";

const hex = (bytes: Uint8Array) =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

Deno.test("splitSignature() finds the complete types", () => {
  deepStrictEqual(splitSignature("a{sv}(oayays)bs"), [
    "a{sv}",
    "(oayays)",
    "b",
    "s",
  ]);
  deepStrictEqual(splitSignature(""), []);
  for (const bad of ["a", "(s", "a{s", "z", "s)", "(".repeat(99)]) {
    throws(() => splitSignature(bad), WireError, bad);
  }
});

Deno.test("WireWriter writes what the specification says", () => {
  const cases: readonly (readonly [string, readonly Value[], string])[] = [
    ["y", [5], "05"],
    ["yu", [5, 1], "05000000" + "01000000"],
    ["b", [true], "01000000"],
    ["s", ["foo"], "03000000" + "666f6f00"],
    ["g", ["ay"], "02" + "617900"],
    ["v", [{ signature: "u", value: 7 }], "01" + "7500" + "00" + "07000000"],
    ["ay", [Uint8Array.of(1, 2)], "02000000" + "0102"],
    // The length of an array leaves out the padding before its first element.
    ["at", [[1n]], "08000000" + "00000000" + "0100000000000000"],
    ["a{ss}", [[]], "00000000" + "00000000"],
    ["(yx)", [[1, -1n]], "01" + "00".repeat(7) + "ff".repeat(8)],
  ];
  for (const [signature, values, expected] of cases) {
    const bytes = new WireWriter().add(signature, values).bytes();
    strictEqual(hex(bytes), expected, signature);
    deepStrictEqual(new WireReader(bytes).read(signature), values, signature);
  }
});

/** A signature with a value of it. */
const TYPED: fc.Arbitrary<{ signature: string; value: Value }> = fc.letrec<{
  typed: { signature: string; value: Value };
}>((tie) => {
  const simple = <T extends Value>(signature: string, of: fc.Arbitrary<T>) =>
    of.map((value) => ({ signature, value: value as Value }));
  const text = fc.string({ unit: "grapheme", maxLength: 9 });
  return {
    typed: fc.oneof(
      { maxDepth: 3 },
      simple("s", text),
      simple("o", fc.constant("/a/b")),
      simple("y", fc.nat(255)),
      simple("u", fc.nat(0xffffffff)),
      simple("i", fc.integer()),
      simple("b", fc.boolean()),
      simple("t", fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      simple("x", fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      simple("ay", fc.uint8Array({ maxLength: 9 }).map((b) => b.slice())),
      simple("as", fc.array(text, { maxLength: 3 })),
      simple("a{ss}", fc.array(fc.tuple(text, text), { maxLength: 3 })),
      tie("typed").map((value) => ({ signature: "v", value })),
      fc.array(tie("typed"), { minLength: 1, maxLength: 3 }).map((parts) => ({
        signature: `(${parts.map(({ signature }) => signature).join("")})`,
        value: parts.map(({ value }) => value),
      })),
    ),
  };
}).typed;

Deno.test("WireReader reads back what WireWriter wrote, for any types", () => {
  fc.assert(
    fc.property(fc.array(TYPED, { maxLength: 5 }), (typed) => {
      const signature = typed.map((each) => each.signature).join("");
      const values = typed.map((each) => each.value);
      const bytes = new WireWriter().add(signature, values).bytes();
      deepStrictEqual(new WireReader(bytes).read(signature), values);
    }),
    { numRuns: 500 },
  );
});

Deno.test("WireReader takes any bytes apart or refuses them, without hanging", () => {
  const signature = fc.constantFrom(
    "a{sv}",
    "aoo",
    "a{o(oayays)}",
    "v",
    "sa{ss}b",
  );
  fc.assert(
    fc.property(signature, fc.uint8Array({ maxLength: 64 }), (types, bytes) => {
      try {
        ok(Array.isArray(new WireReader(bytes).read(types)));
      } catch (error) {
        ok(error instanceof WireError, String(error));
      }
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("decodeMessage() reads what encodeCall() wrote, and any other bytes or none", () => {
  const bytes = encodeCall({
    destination: "org.example",
    path: "/a",
    interface: "org.example.I",
    member: "Do",
    signature: "su",
    values: ["x", 7],
  }, 9);
  strictEqual(messageLength(bytes), bytes.length);
  strictEqual(messageLength(bytes.subarray(0, 15)), undefined);
  const message = decodeMessage(bytes);
  strictEqual(message.kind, "other");
  strictEqual(message.path, "/a");
  strictEqual(message.member, "Do");
  deepStrictEqual(message.values(), ["x", 7]);
  const broken = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(broken, { maxLength: 4 }), (changes) => {
      const copy = bytes.slice();
      for (const [at, byte] of changes) copy[at] = byte;
      try {
        const length = messageLength(copy);
        if (length !== undefined && length <= copy.length) {
          decodeMessage(copy.subarray(0, length)).values();
        }
      } catch (error) {
        ok(error instanceof WireError, String(error));
      }
    }),
    { numRuns: 10_000 },
  );
});
