import assert from "node:assert/strict";
import fc from "fast-check";
import { ChunkedScanner } from "./chunked.ts";
import { HeadError } from "./http_head.ts";

const ENCODER = new TextEncoder();

/** How many bytes belong to the body, or undefined when it is refused; fed in pieces of these sizes. */
function scan(text: string, sizes: readonly number[]): number | undefined {
  const bytes = ENCODER.encode(text);
  const scanner = new ChunkedScanner();
  let at = 0;
  try {
    for (let turn = 0; at < bytes.length && !scanner.isDone; turn++) {
      const size = sizes[turn % sizes.length]!;
      at += scanner.feed(bytes.subarray(at, at + size));
    }
  } catch (error) {
    if (!(error instanceof HeadError)) throw error;
    return undefined;
  }
  return scanner.isDone ? at : -1;
}

const chunk = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 40 })
  .map((data) => `${data.length.toString(16)}\r\n${data}\r\n`);
const body = fc.tuple(
  fc.array(chunk, { maxLength: 5 }),
  fc.constantFrom(
    "0\r\n\r\n",
    "000;x=1\r\n\r\n",
    "0\r\nX-T: 1\r\nY: 2\r\n\r\n",
  ),
).map(([chunks, end]) => chunks.join("") + end);

Deno.test("ChunkedScanner finds the end of a body, however it is cut into pieces and whatever follows", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 });
  fc.assert(
    fc.property(body, sizes, fc.string(), (text, pieces, rest) => {
      assert.equal(scan(text + rest, pieces), text.length);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("ChunkedScanner sees the same in any text, however it is cut into pieces", () => {
  const pieces = fc.constantFrom(..."0123aA;\r\n\t:x\0 ", "\r\n", "0\r\n\r\n");
  const texts = fc.array(pieces, { maxLength: 30 }).map((list) =>
    list.join("")
  );
  fc.assert(
    fc.property(texts, (text) => {
      assert.equal(scan(text, [1]), scan(text, [1000]));
    }),
    { numRuns: 5000 },
  );
});
