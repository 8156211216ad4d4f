import assert from "node:assert/strict";
import fc from "fast-check";
import {
  runFilter,
  type SeccompData,
} from "../../tests/support/bpf_machine.ts";
import { ERRNO } from "../os/syscall.ts";
import { ACTION, assemble, encode, type Filter, type Word } from "./bpf.ts";

const WORDS: readonly Word[] = [
  "nr",
  "arch",
  "arg0",
  "arg1",
  "arg5",
  "arg2high",
];

/** What the tree says, found without a program. */
function decide(filter: Filter, data: SeccompData): number {
  if (typeof filter === "string") {
    return filter in ACTION
      ? ACTION[filter as "allow"]
      : ACTION.errno | ERRNO[filter as "EPERM"];
  }
  const { word, test } = filter;
  const arg = BigInt.asUintN(64, data.args?.[Number(word[3])] ?? 0n);
  const value = word === "nr"
    ? data.nr
    : word === "arch"
    ? data.arch
    : Number(word.endsWith("high") ? arg >> 32n : arg & 0xffffffffn);
  const isTrue = "oneOf" in test
    ? test.oneOf.includes((value & (test.mask ?? -1)) >>> 0)
    : "anyBitOf" in test
    ? (value & test.anyBitOf) !== 0
    : value >= test.atLeast;
  return decide(isTrue ? filter.yes : filter.no, data);
}

const number = fc.oneof(
  fc.integer({ min: 0, max: 8 }),
  fc.integer({ min: 0, max: 0xffffffff }),
);

const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 8, withCrossShrink: true },
    fc.constantFrom<Filter>("allow", "kill", "notify", "EPERM", "ENOSYS"),
    fc.record({
      word: fc.constantFrom(...WORDS),
      test: fc.oneof(
        fc.record({ oneOf: fc.array(number, { maxLength: 4 }) }),
        fc.record({
          oneOf: fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 4 }),
          mask: fc.constantFrom(1, 3, 7),
        }),
        fc.record({ anyBitOf: number }),
        fc.record({ atLeast: number }),
      ),
      yes: tie("filter"),
      no: tie("filter"),
    }),
  ),
}));

const data = fc.record({
  nr: number,
  arch: number,
  args: fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), {
    minLength: 6,
    maxLength: 6,
  }),
});

Deno.test("assemble() gives a program that decides as the tree does", () => {
  fc.assert(
    fc.property(filter, fc.array(data, { minLength: 1 }), (tree, calls) => {
      const program = assemble(tree);
      for (const call of calls) {
        assert.equal(runFilter(program, call), decide(tree, call) >>> 0);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("assemble() writes a part that stands in several places as it is meant in each", () => {
  const word = fc.constantFrom(...WORDS);
  const several = fc.record({
    part: filter,
    other: filter,
    word,
    value: number,
  });
  fc.assert(
    fc.property(several, fc.array(data, { minLength: 1 }), (made, calls) => {
      const { part, other, word, value: k } = made;
      const after = (word: Word, yes: Filter, no: Filter): Filter => ({
        ...{ word, test: { atLeast: k }, yes, no },
      });
      const tree = after(
        ...["nr", after(word, part, other)] as const,
        after("nr", part, after("arg0", other, part)),
      );
      const program = assemble(tree);
      for (const call of calls) {
        assert.equal(runFilter(program, call), decide(tree, call) >>> 0);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("assemble() writes a part that stands in several places once", () => {
  const part: Filter = {
    word: "arg0",
    test: { oneOf: [1, 2, 3] },
    yes: "EPERM",
    no: "allow",
  };
  const twice: Filter = {
    word: "nr",
    test: { oneOf: [4] },
    yes: part,
    no: { word: "nr", test: { oneOf: [5] }, yes: part, no: "allow" },
  };
  assert.equal(assemble(twice).length, assemble(part).length + 3);
});

Deno.test("assemble() reaches past 255 instructions", () => {
  const long = Array.from({ length: 400 }, (_, i) => i).reduceRight<Filter>(
    (no, value) => ({
      word: "arg0",
      test: { oneOf: [value] },
      yes: "EPERM",
      no,
    }),
    "ENOSYS",
  );
  const tree: Filter = {
    word: "nr",
    test: { oneOf: [7, 8, 9] },
    yes: long,
    no: { word: "nr", test: { oneOf: [1] }, yes: "kill", no: "allow" },
  };
  const program = assemble(tree);
  for (const nr of [0, 1, 6, 7, 8, 9, 10]) {
    for (const arg of [0n, 399n, 400n]) {
      const call = { nr, arch: 0, args: [arg] };
      assert.equal(runFilter(program, call), decide(tree, call) >>> 0);
    }
  }
});

Deno.test("assemble() takes an empty list for no", () => {
  const test = { oneOf: [] };
  assert.deepEqual(
    assemble({ word: "nr", test, yes: "allow", no: "kill" }),
    assemble("kill"),
  );
});

Deno.test("assemble() refuses a program that is too long for the kernel", () => {
  const values = Array.from({ length: 4097 }, (_, i) => i);
  const long = values.reduceRight<Filter>(
    (no, k) => ({ word: "nr", test: { oneOf: [k] }, yes: "EPERM", no }),
    "allow",
  );
  assert.throws(() => assemble(long), /instructions/);
});

Deno.test("assemble() refuses a test that no jump reaches over", () => {
  const oneOf = Array.from({ length: 300 }, (_, i) => i);
  const tree: Filter = {
    word: "nr",
    test: { oneOf },
    yes: "kill",
    no: "allow",
  };
  assert.throws(() => assemble(tree), /too many values/);
});

Deno.test("encode() writes instructions as the kernel reads them", () => {
  const bytes = encode([{ code: 0x15, jt: 1, jf: 2, k: 0x80000001 }]);
  assert.deepEqual([...bytes], [0x15, 0, 1, 2, 1, 0, 0, 0x80]);
});
