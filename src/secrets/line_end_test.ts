import { strictEqual } from "node:assert/strict";
import { withoutLineEnd } from "./line_end.ts";

Deno.test("withoutLineEnd() takes the line end off one line, and nothing off anything else", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["token\n", "token"],
    ["token\r\n", "token"],
    ["token", "token"],
    [" token \n", " token "],
    ["token\r", "token\r"],
    ["\n", ""],
    ["", ""],
    ["a\nb\n", "a\nb\n"],
    ["a\nb", "a\nb"],
    ["a\n\n", "a\n\n"],
    ["a\0b\n", "a\0b\n"],
  ];
  for (const [given, kept] of cases) {
    const bytes = withoutLineEnd(new TextEncoder().encode(given));
    strictEqual(new TextDecoder().decode(bytes), kept, JSON.stringify(given));
  }
});
