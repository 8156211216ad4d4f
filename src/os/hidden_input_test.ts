import { strictEqual } from "node:assert/strict";
import { HiddenTyping } from "./hidden_input.ts";

/** What was typed when these blocks came in: `+` is a block of its own. */
function type(
  blocks: readonly string[],
  options = { multiline: false },
): [string, string] {
  const typing = new HiddenTyping(options);
  for (const block of blocks) typing.feed(new TextEncoder().encode(block));
  return [typing.state, new TextDecoder().decode(typing.bytes)];
}

function check(blocks: readonly string[], state: string, text: string): void {
  strictEqual(JSON.stringify(type(blocks)), JSON.stringify([state, text]));
}

Deno.test("HiddenTyping takes keys up to Enter", () => {
  check(["a", "ä", "b"], "typing", "aäb");
  check(["a", "b", "\r"], "done", "ab");
  check(["a", "b", "\n"], "done", "ab");
  check(["ab\r"], "done", "ab");
  check(["\t x", "\r"], "done", "\t x");
});

Deno.test("HiddenTyping lets keys be taken back", () => {
  check(["a", "ä", "\x7f", "b", "\r"], "done", "ab");
  check(["a", "€", "\b", "\b", "\b", "c", "\r"], "done", "c");
  check(["wrong", "\x15", "right", "\r"], "done", "right");
});

Deno.test("HiddenTyping is cancelled by Ctrl-C, and by Ctrl-D where nothing was typed", () => {
  check(["a", "\x03", "b"], "cancelled", "a");
  check(["\x04"], "cancelled", "");
  check(["a", "\x04", "b", "\r"], "done", "ab");
});

Deno.test("HiddenTyping passes over keys that mean nothing to it", () => {
  check(
    ["a", "\x1b[A", "\x1bOP", "\x1b[1;5C", "\x1bb", "\x01", "c", "\r"],
    "done",
    "ac",
  );
  check(["\x1b", "[", "D", "x", "\r"], "done", "x");
});

Deno.test("HiddenTyping takes pasted lines as one value, also in pieces", () => {
  const pasted = "-----BEGIN\r\rkey\r-----END\r";
  const value = "-----BEGIN\n\nkey\n-----END\n";
  check([`\x1b[200~${pasted}\x1b[201~`, "\r"], "done", value);
  check(["\x1b[20", "0~a\r", "b\x1b[2", "01~", "c", "\r"], "done", "a\nbc");
  check(["\x1b[200~a\x1b[Ab\x03\x1b[201~", "\r"], "done", "a\x1b[Ab\x03");
});

Deno.test("HiddenTyping lets no pasted line go on to the shell where a terminal marks none", () => {
  check(
    ["-----BEGIN\rkey\r-----END", "\r"],
    "done",
    "-----BEGIN\nkey\n-----END",
  );
});

Deno.test("HiddenTyping of several lines ends with Ctrl-D", () => {
  const [state, text] = type(["a", "\r", "b", "\r", "\x04"], {
    multiline: true,
  });
  strictEqual(state, "done");
  strictEqual(text, "a\nb\n");
});
