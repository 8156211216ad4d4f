import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { inspect } from "node:util";
import fc from "fast-check";
import { redact } from "../base/redact.ts";
import { MAX_VALUE_BYTES, SecretValue } from "./value.ts";

Deno.test("SecretValue shows itself to nobody who does not ask", () => {
  const value = new SecretValue("kept-to-itself");
  const shown = [
    String(value),
    `${value}`,
    JSON.stringify({ value, list: [value] }),
    Deno.inspect({ value }),
    inspect({ value }, { showHidden: true, depth: 9 }),
    Object.entries(value).join(),
    Deno.inspect(new Map([["key", value]])),
    structuredClonePropertyNames(value),
  ];
  for (const text of shown) ok(!text.includes("kept-to-itself"), text);
  strictEqual(value.text(), "kept-to-itself");
  strictEqual(new TextDecoder().decode(value.reveal()), "kept-to-itself");
});

function structuredClonePropertyNames(value: SecretValue): string {
  return JSON.stringify(structuredClone({ ...value }));
}

Deno.test("SecretValue is masked in all that is printed from the moment it exists", () => {
  const text = "masked-from-the-start";
  strictEqual(redact(text), text);
  new SecretValue(text);
  strictEqual(redact(`x ${text}`), "x [redacted]");
});

Deno.test("SecretValue keeps any bytes as they are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
      const value = new SecretValue(bytes);
      deepStrictEqual(value.reveal(), new Uint8Array(bytes));
      value.reveal().fill(0);
      deepStrictEqual(value.reveal(), new Uint8Array(bytes));
      ok(value.equals(new SecretValue(bytes)));
    }),
    { numRuns: 300 },
  );
});

Deno.test("SecretValue.text() is the value where a variable can hold it, and nothing where it cannot", () => {
  strictEqual(new SecretValue("\ufeffä\n€").text(), "\ufeffä\n€");
  strictEqual(new SecretValue("a\0b").text(), undefined);
  strictEqual(new SecretValue(Uint8Array.of(0xff, 0x41)).text(), undefined);
});

Deno.test("SecretValue refuses an empty value and one that no variable can hold", () => {
  const empty = { code: "SECRET_INVALID", message: /it is empty/ };
  throws(() => new SecretValue(""), empty);
  new SecretValue("x".repeat(MAX_VALUE_BYTES));
  throws(() => new SecretValue("x".repeat(MAX_VALUE_BYTES + 1)), {
    code: "SECRET_INVALID",
    message: /it has 65537 bytes, at most 65536 are kept/,
  });
});
