import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { encodeBase64 } from "./base64.ts";
import { maskFromNowOn, redact } from "./redact.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** Values as people have them: tokens, passwords, keys of several lines, any text. */
const VALUE = fc.oneof(
  fc.string({ minLength: 8, maxLength: 40 }),
  fc.string({ minLength: 8, maxLength: 40, unit: "binary" }),
  fc.array(fc.stringMatching(/^[A-Za-z0-9+/=]{8,64}$/), {
    minLength: 1,
    maxLength: 6,
  }).map((lines) => lines.join("\n")),
  fc.stringMatching(/^[A-Za-z0-9_'"\\$ &<>%+/=~!-]{8,64}$/),
)
  // A value that stands in the mask, or is white space, cannot be told from it.
  .filter((value) => value.trim().length >= 8 && !/^[\s[\]a-z]+$/.test(value));

/** Every way in which a value may be written, by name. */
const FORMS: Readonly<Record<string, (value: string) => string>> = {
  "as it is": (value) => value,
  "without white space around it": (value) => value.trim(),
  "in JSON": (value) => JSON.stringify(value),
  "in JSON in JSON": (value) => JSON.stringify(JSON.stringify({ value })),
  "in JSON, escaped by another writer": (value) =>
    JSON.stringify(value).replace(
      /[^ -~]/g,
      (c) =>
        `\\u${c.charCodeAt(0).toString(16).padStart(4, "0").toUpperCase()}`,
    ).replaceAll("/", "\\/"),
  "in a URL": encodeText(encodeURIComponent),
  "in a URL in small letters": encodeText((value) =>
    encodeURIComponent(value).replace(
      /%[0-9A-F]{2}/g,
      (code) => code.toLowerCase(),
    )
  ),
  "in a form": encodeText((value) =>
    new URLSearchParams({ v: value }).toString()
  ),
  "with every byte percent-encoded": (value) =>
    [...encode(value)].map((b) => "%" + b.toString(16).padStart(2, "0")).join(
      "",
    ),
  "in single quotes": (value) => `'${value.replaceAll("'", `'\\''`)}'`,
  "in double quotes": (value) => `"${value.replace(/["\\$`]/g, "\\$&")}"`,
  "with backslashes": (value) =>
    value.replace(/[^A-Za-z0-9\s\u0080-\uffff]/g, "\\$&"),
  "in $'…'": (value) =>
    `$'${value.replace(/['\\]/g, "\\$&").replaceAll("\n", "\\n")}'`,
  "in XML": (value) =>
    value.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;").replaceAll('"', "&quot;"),
  "in base64": (value) => encodeBase64(encode(value)),
  "in base64 without padding": (value) =>
    encodeBase64(encode(value)).replaceAll("=", ""),
  "in the base64 of URLs": (value) => urlSafe(encodeBase64(encode(value))),
  "in the base64 of URLs without padding": (value) =>
    urlSafe(encodeBase64(encode(value))).replaceAll("=", ""),
  "in base64 in a URL": (value) =>
    encodeURIComponent(encodeBase64(encode(value))),
  "in base64 in JSON of PHP": (value) =>
    encodeBase64(encode(value)).replaceAll("/", "\\/"),
  "in base64 of 76 characters a line": (value) =>
    encodeBase64(encode(value)).replace(/.{76}/g, "$&\n"),
  "in hexadecimal digits": (value) =>
    [...encode(value)].map((b) => b.toString(16).padStart(2, "0")).join(""),
  "in capital hexadecimal digits": (value) =>
    [...encode(value)].map((b) => b.toString(16).padStart(2, "0")).join("")
      .toUpperCase(),
};

/** Lone halves of a surrogate pair have no UTF-8. */
function encodeText(write: (value: string) => string) {
  return (value: string) => write(value.toWellFormed());
}

function urlSafe(base64: string): string {
  return base64.replaceAll("+", "-").replaceAll("/", "_");
}

/** What of `shown` is neither a mask nor stood around the value. */
function rest(shown: string, around: readonly string[]): string {
  return around.reduce((text, each) => text.replace(each, ""), shown)
    .replaceAll("[redacted]", "");
}

for (const [name, write] of Object.entries(FORMS)) {
  Deno.test(`redact() masks a value ${name}`, () => {
    fc.assert(
      fc.property(VALUE, (text) => {
        const value = text.toWellFormed();
        const form = write(value);
        const shown = redact(`<<${form}>>`, [value]);
        ok(shown.includes("[redacted]"), `not masked: ${form}`);
        // Quotes, braces and the name of a field may be left of a form.
        ok(rest(shown, ["<<", ">>"]).length <= 24, `${form} -> ${shown}`);
        ok(!shown.includes(value.trim()), shown);
      }),
      { numRuns: 60 },
    );
  });
}

Deno.test("redact() masks a value inside larger base64 at every alignment, and leaves at most the bits of its neighbours", () => {
  fc.assert(
    fc.property(
      VALUE,
      fc.uint8Array({ maxLength: 5 }),
      fc.uint8Array({ maxLength: 5 }),
      (text, before, after) => {
        const value = encode(text.toWellFormed());
        const all = encodeBase64(
          Uint8Array.from([...before, ...value, ...after]),
        );
        for (const form of [all, urlSafe(all), all.replaceAll("=", "")]) {
          const shown = redact(`"${form}"`, [text.toWellFormed()]);
          ok(shown.includes("[redacted]"), form);
          const left = shown.replaceAll("[redacted]", "").length - 2;
          const most = Math.ceil((before.length + after.length) * 4 / 3) + 2;
          ok(left <= most, `${form} -> ${shown}`);
        }
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("redact() masks every line of a value of several lines by itself", () => {
  const key = ["first line of it", "x", "  second line of it"].join("\r\n");
  strictEqual(
    redact("a first line of it b\nsecond line of it", [key]),
    "a [redacted] b\n[redacted]",
  );
});

Deno.test("redact() masks what is shown of a long value that was cut", () => {
  const value = Array.from({ length: 500 }, (_, i) => `k${i}`).join("");
  for (const form of [value, encodeBase64(encode(value))]) {
    const cut = form.slice(0, 300);
    const left = redact(cut, [value]).replaceAll("[redacted]", "");
    ok(left.length < 80, left);
  }
});

Deno.test("redact() masks bytes that are no text as programs show them", () => {
  const value = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
  maskFromNowOn(value);
  const percent = [...value].map((b) => "%" + b.toString(16)).join("");
  const shown = new TextDecoder().decode(value);
  for (const form of [encodeBase64(value), percent, shown]) {
    strictEqual(redact(`<${form}>`), "<[redacted]>");
  }
});

Deno.test("redact() knows from the moment on what must not be shown, and only that", () => {
  const value = "a-value-that-nobody-else-has";
  strictEqual(redact(`x ${value}`), `x ${value}`);
  maskFromNowOn(encode(value));
  strictEqual(redact(`x ${value}, ${value}`), "x [redacted], [redacted]");
  strictEqual(redact("a-value-that-nobody"), "a-value-that-nobody");
});

Deno.test("redact() masks values that overlap as a whole", () => {
  strictEqual(redact("abcdefgh", ["abcde", "cdefgh"]), "[redacted]");
  strictEqual(redact("abcdefgh-", ["abcd", "efgh"]), "[redacted]-");
});

Deno.test("redact() leaves text without a value as it is", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z ]{0,80}$/), (text) => {
      strictEqual(redact(text, ["S3CRET-VALUE", "Zürich 42 +/"]), text);
    }),
    { numRuns: 150 },
  );
});

Deno.test("redact() never shows a value, whatever stands around it", () => {
  const secret = fc.string({ minLength: 12, maxLength: 40 });
  fc.assert(
    fc.property(secret, fc.string(), fc.string(), (value, a, b) => {
      // A value that stands in the mask itself cannot be told from it.
      fc.pre(!"[redacted]".includes(value.trim()));
      ok(!redact(a + value + b, [value]).includes(value));
    }),
    { numRuns: 150 },
  );
});
