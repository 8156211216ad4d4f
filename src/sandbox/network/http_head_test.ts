import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatHead,
  HeadError,
  parseRequestHead,
  parseResponseHead,
} from "./http_head.ts";

const pieces = fc.constantFrom(
  ..."aZ0 :\t\r\n\0,;=/\x7f\x80\xff",
  "GET ",
  "http://a.test/",
  " HTTP/1.1\r\n",
  "HTTP/1.1 200 OK\r\n",
  "Content-Length: ",
  "Transfer-Encoding: chunked",
  "\r\nHost: a",
  "\r\nConnection: close",
);
const texts = fc.array(pieces, { maxLength: 12 }).map((list) => list.join(""));

/** The head, or undefined when it is refused. */
function read<T>(parse: (text: string) => T, text: string): T | undefined {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof HeadError)) throw error;
    return undefined;
  }
}

Deno.test("a head that is taken is read the same once it has been written again", () => {
  let taken = 0;
  fc.assert(
    fc.property(texts, (rest) => {
      const text = "GET http://a.test/ HTTP/1.1\r\n" + rest;
      const head = read(parseRequestHead, text);
      if (head === undefined) return;
      taken++;
      const { method, target, version, fields } = head;
      const first = `${method} ${target} HTTP/${version}`;
      const again = formatHead(first, fields).slice(0, -4);
      assert.deepEqual(parseRequestHead(again), head);
    }),
    { numRuns: 20_000 },
  );
  assert.ok(taken > 100, String(taken));
});

Deno.test("any text is a head or is refused", () => {
  fc.assert(
    fc.property(texts, (text) => {
      read(parseRequestHead, text);
      read(parseResponseHead, text);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("the time for a head grows with its length, whatever it holds", () => {
  const blanks = " ".repeat(200_000);
  const heads = [
    `X:${blanks}\x01`,
    `X: a${blanks}\x01`,
    `X: ${"a ".repeat(100_000)}\x01`,
  ];
  const start = performance.now();
  for (const line of heads) {
    const text = `GET http://a.test/ HTTP/1.1\r\n${line}`;
    assert.equal(read(parseRequestHead, text), undefined);
  }
  // With the square of the length it takes minutes.
  assert.ok(performance.now() - start < 5000);
});
