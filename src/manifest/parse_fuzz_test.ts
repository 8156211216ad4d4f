import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { stringify } from "smol-toml";
import { AppError } from "../base/errors.ts";
import { parseEnvName } from "../base/ids.ts";
import { type Manifest, newManifest, parseManifest } from "./mod.ts";

/** The manifest, or undefined when it was refused in the proper way; anything else is thrown. */
function parseOrRefuse(text: string): Manifest | undefined {
  try {
    return parseManifest(text, "/p/aenv.toml");
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    strictEqual(error.code, "MANIFEST_INVALID");
    // deno-lint-ignore no-control-regex
    strictEqual(/[\u0000-\u0009\u000b-\u001f]/.test(error.message), false);
    checkPlace(error.message, text);
    return undefined;
  }
}

/** A place in a message lies in the text, or just behind it. */
function checkPlace(message: string, text: string): void {
  const match = /: line (\d+), column (\d+): /.exec(message);
  if (!match) return;
  const lines = text.split("\n");
  ok(Number(match[1]) >= 1 && Number(match[1]) <= lines.length + 1, message);
  ok(Number(match[2]) >= 1, message);
}

const WORDS = [
  ..."[]{}=.,\"'#\n\r\t \\",
  "[env]\n",
  'name = "x"\n',
  "[[plugins.enabled]]\n",
  "[mcp.a]\n",
  "command",
  "args",
  "[sandbox]\n",
  "network",
  "mode",
  "[secrets]\n",
  "[vars]\n",
  '"""',
  "'''",
  "${",
  "1e9",
  "inf",
  "2026-01-01",
  "true",
  "__proto__",
  "constructor",
  "toString",
];

Deno.test("parseManifest() reads or refuses any text, and never crashes", () => {
  const text = fc.array(
    fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: "binary" })),
    { maxLength: 30 },
  ).map((parts) => parts.join(""));
  fc.assert(fc.property(text, (any) => void parseOrRefuse(any)), {
    numRuns: 2000,
  });
});

const KEYS = [
  "aenv_schema_version",
  "env",
  "vars",
  "mcp",
  "plugins",
  "skills",
  "enabled",
  "secrets",
  "sandbox",
  "hooks",
  "name",
  "description",
  "isolation",
  "compat",
  "claude",
  "command",
  "args",
  "url",
  "headers",
  "type",
  "source",
  "subpath",
  "paths",
  "network",
  "mode",
  "allow",
  "tools",
  "expose",
  "pre_activate",
  "a",
  "__proto__",
  "constructor",
];

const { tree } = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom("x", "2", "private", "none", "hosts", "./a", "${a}", ""),
    fc.string({ unit: "grapheme" }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
  ),
  node: fc.dictionary(fc.constantFrom(...KEYS), tie("tree"), { maxKeys: 5 }),
  tree: fc.oneof(
    { maxDepth: 5, depthSize: "medium" },
    tie("leaf"),
    tie("node"),
    fc.array(tie("node"), { maxLength: 3 }),
    fc.array(tie("leaf"), { maxLength: 3 }),
  ),
}));

Deno.test("parseManifest() reads or refuses any document of known keys with any values", () => {
  const top = fc.dictionary(fc.constantFrom(...KEYS), tree, { maxKeys: 8 });
  const env = fc.record({ name: fc.constantFrom("x", "y", 1, "..") });
  fc.assert(
    fc.property(top, env, (document, head) => {
      const text = stringify({ env: head, ...document });
      const manifest = parseOrRefuse(text);
      if (manifest) strictEqual(parseEnvName(manifest.name), manifest.name);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseManifest() takes the names of JavaScript for names like any other", () => {
  for (const name of ["constructor", "toString", "__proto__", "valueOf"]) {
    const text = `[env]\nname = "x"\n[vars]\n${name} = "v"\n` +
      `[mcp.${name}]\ncommand = "c"\n[secrets.${name}]\ntools = ["npm"]\n`;
    const manifest = parseManifest(text, "m");
    strictEqual(Object.hasOwn(manifest.vars, name), true, name);
    strictEqual(Object.hasOwn(manifest.mcp, name), true, name);
    strictEqual(Object.hasOwn(manifest.secrets.tools, name), true, name);
  }
});

Deno.test("newManifest() writes what parseManifest() reads, for any name", () => {
  const name = fc.string({
    unit: fc.constantFrom(..."abcXYZ012_.-"),
    minLength: 1,
    maxLength: 100,
  });
  const flags = fc.record({ bare: fc.boolean(), sandbox: fc.boolean() });
  fc.assert(fc.property(name, flags, (text, options) => {
    let parsed;
    try {
      parsed = parseEnvName(text);
    } catch (error) {
      if (error instanceof AppError) return;
      throw error;
    }
    const manifest = parseManifest(newManifest(parsed, options), "m");
    strictEqual(manifest.name, parsed);
    strictEqual(manifest.isolation, "private");
    const { enabled = false } = manifest.sandbox ?? {};
    strictEqual(enabled, options.sandbox);
  }));
});
