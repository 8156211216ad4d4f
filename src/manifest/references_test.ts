import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { fillReferences, findReferences, toAgentForm } from "./references.ts";

Deno.test("findReferences() finds secrets, variables and defaults in order", () => {
  const text =
    "${secret:gh-token} ${env:HOME}/${DIR}:${PORT:-80}${A_1:-} $HOME {x}";
  deepStrictEqual(findReferences(text), [
    { kind: "secret", key: "gh-token" },
    { kind: "env", name: "HOME", optional: false },
    { kind: "env", name: "DIR", optional: false },
    { kind: "env", name: "PORT", optional: true },
    { kind: "env", name: "A_1", optional: true },
  ]);
});

Deno.test("findReferences() calls anything else in ${…} invalid, with its text", () => {
  const bad = [
    "${}",
    "${secret:}",
    "${secret:a b}",
    "${secret:../x}",
    "${secret:.x}",
    "${env:}",
    "${env:A:-b}",
    "${1A}",
    "${A-B}",
    "${A B}",
    "${A:+x}",
    "${A",
    "${",
    "${secret:a${b}",
  ];
  for (const text of bad) {
    deepStrictEqual(
      findReferences(`x${text}`),
      [{ kind: "invalid", text }],
      text,
    );
  }
});

Deno.test("findReferences() finds nothing in text without references", () => {
  for (const text of ["", "$HOME", "{a}", "$ {A}", "100$"]) {
    deepStrictEqual(findReferences(text), []);
  }
});

Deno.test("findReferences() overlooks no ${ whatever stands around it", () => {
  const text = fc.string({ unit: fc.constantFrom(..."${}:-AB1 secrtnv.") });
  fc.assert(
    fc.property(text, (any) => {
      // What stands inside another reference belongs to that one.
      const count = any.replace(/\$\{[^}]*(\}|$)/g, "\0").split("\0").length;
      strictEqual(findReferences(any).length, count - 1);
    }),
    { numRuns: 500 },
  );
});

Deno.test("toAgentForm() writes ${env:VAR} as ${VAR} and changes nothing else", () => {
  strictEqual(
    toAgentForm("${env:A}/${B}/${C:-d}/${secret:e}/${env:1}"),
    "${A}/${B}/${C:-d}/${secret:e}/${env:1}",
  );
});

Deno.test("fillReferences() puts in what it is given, once, and leaves everything else", () => {
  const fill = {
    secret: (key: string) => `<\${env:${key}}>`,
    variable: (name: string, fallback: string | undefined) =>
      `[${name}|${fallback}]`,
  };
  strictEqual(
    fillReferences(
      "a ${secret:k.1}${X}${env:Y} ${Z:-d:-e}${W:-} $V ${-}",
      fill,
    ),
    "a <${env:k.1}>[X|undefined][Y|undefined] [Z|d:-e][W|] $V ${-}",
  );
});

Deno.test("fillReferences() asks for just what findReferences() finds", () => {
  const text = fc.string({ unit: fc.constantFrom(..."${}:-AB1 secrtnv.") });
  fc.assert(
    fc.property(text, (text) => {
      const asked: string[] = [];
      fillReferences(text, {
        secret: (key) => (asked.push(`secret ${key}`), ""),
        variable: (name) => (asked.push(`env ${name}`), ""),
      });
      const found = findReferences(text).flatMap((reference) =>
        reference.kind === "invalid"
          ? []
          : reference.kind === "secret"
          ? [`secret ${reference.key}`]
          : [`env ${reference.name}`]
      );
      deepStrictEqual(asked, found);
    }),
    { numRuns: 20_000 },
  );
});
