import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { didYouMean, escapeControl, listWords, quote } from "./text.ts";

const STEERS =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

Deno.test("quote() escapes control, bidirectional and invisible characters", () => {
  strictEqual(quote("a\u001b[31mb\n"), '"a\\u001b[31mb\\u000a"');
  strictEqual(quote("x\u202ey\u200bz\ufeff"), '"x\\u202ey\\u200bz\\ufeff"');
  strictEqual(quote("a\u00adb\u{e0041}"), '"a\\u00adb\\u{e0041}"');
  strictEqual(quote("grüße 日本"), '"grüße 日本"');
});

Deno.test("quote() cuts long texts and says so", () => {
  const shown = quote("a".repeat(5000));
  strictEqual(shown, '"' + "a".repeat(120) + '…"');
});

Deno.test("escapeControl() leaves nothing that steers a terminal, whatever comes in", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      strictEqual(STEERS.test(escapeControl(text)), false);
    }),
    { numRuns: 300 },
  );
});

Deno.test("didYouMean() finds the nearest word for a slip of the finger", () => {
  const words = ["plugins", "skills", "sandbox", "secrets", "env", "vars"];
  const slips: readonly (readonly [string, string])[] = [
    ["plugin", "plugins"],
    ["pluigns", "plugins"],
    ["Skills", "skills"],
    ["sanbox", "sandbox"],
    ["evn", "env"],
    ["secert", "secrets"],
  ];
  for (const [slip, word] of slips) strictEqual(didYouMean(slip, words), word);
});

Deno.test("didYouMean() stays silent when nothing is near", () => {
  const words = ["plugins", "skills"];
  for (const word of ["", "xyz", "completely-different", "q".repeat(5000)]) {
    strictEqual(didYouMean(word, words), undefined);
  }
});

Deno.test("listWords() joins as people do", () => {
  strictEqual(listWords([]), "");
  strictEqual(listWords(["a"]), "a");
  strictEqual(listWords(["a", "b"]), "a and b");
  strictEqual(listWords(["a", "b", "c"]), "a, b and c");
});
