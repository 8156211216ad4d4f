import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { parse } from "smol-toml";
import { model, textOf } from "../../tests/support/manifest_texts.ts";
import type { ServerTable } from "../base/server_table.ts";
import { addServers, parseManifest, removeServer } from "./mod.ts";

const FILE = { file: "m" };
const HEAD = '[env]\nname = "x"\n';
const TABLE: ServerTable = {
  env: { A: "1", "B_2": 'a "b" \\' },
  args: ["-y", "x"],
  command: "npx",
  cwd: ".",
};
const BLOCK = 'command = "npx"\nargs = ["-y", "x"]\n' +
  'env = { A = "1", B_2 = "a \\"b\\" \\\\" }\ncwd = "."\n';

Deno.test("addServers() writes a table of its own behind the others, and keeps the rest", () => {
  const cases: readonly (readonly [string, string])[] = [
    [HEAD, `${HEAD}\n[mcp.s]\n${BLOCK}`],
    [
      `# top\n${HEAD}\n[mcp.a] # one\ncommand = 'c' # it\n# end\n\n[vars]\nA = "1"\n`,
      `# top\n${HEAD}\n[mcp.a] # one\ncommand = 'c' # it\n# end\n\n[mcp.s]\n${BLOCK}\n[vars]\nA = "1"\n`,
    ],
    [`${HEAD}\n[mcp]\n`, `${HEAD}\n[mcp]\n\n[mcp.s]\n${BLOCK}`],
  ];
  for (const [before, after] of cases) {
    strictEqual(
      addServers(before, [{ name: "s", table: TABLE }], FILE),
      after,
    );
  }
});

Deno.test("addServers() writes inline where servers stand inline", () => {
  const before = `mcp = { a = { command = "c" } }\n${HEAD}`;
  const after = addServers(before, [{ name: "b.c", table: TABLE }], FILE);
  strictEqual(after.split("\n").length, before.split("\n").length);
  deepStrictEqual(Object.keys(parseManifest(after, "m").mcp), ["a", "b.c"]);
});

Deno.test("addServers() adds all or nothing", () => {
  const text = `${HEAD}[mcp.a]\ncommand = "c"\n`;
  const good = { name: "g", table: { command: "c" } };
  for (
    const bad of [
      { name: "A", table: { command: "c" } },
      { name: "b", table: {} },
      { name: "b", table: { command: "c", url: "https://x" } },
      { name: "b", table: { command: "${secret:k}" } },
      { name: "../b", table: { command: "c" } },
      { name: "b", table: { url: "ftp://x" } },
    ]
  ) {
    throws(() => addServers(text, [good, bad], FILE), { name: "AppError" });
  }
  throws(() => addServers(text, [{ name: "a", table: TABLE }], FILE), {
    code: "ITEM_EXISTS",
    message: 'Cannot add MCP server "a": "m" declares it already',
  });
});

Deno.test("removeServer() takes out what addServers() put in", () => {
  const text = `# top\n${HEAD}\n# servers\n[mcp.a]\ncommand = "c"\n`;
  const more = addServers(text, [
    { name: "s", table: TABLE },
    { name: "t", table: { type: "sse", url: "https://x" } },
  ], FILE);
  strictEqual(removeServer(removeServer(more, "t", FILE), "s", FILE), text);
  strictEqual(
    removeServer(text, "a", FILE),
    `# top\n${HEAD}\n# servers\n`,
  );
  throws(() => removeServer(text, "b", FILE), {
    code: "ITEM_NOT_FOUND",
    message: 'Cannot find MCP server "b": "m" does not declare it',
  });
});

const word = fc.oneof(
  fc.constantFrom("a", "${env:A}", "${secret:k}", "it's", '"', "#", "é\u202e"),
  fc.string({ unit: "grapheme", maxLength: 8 }),
).filter((text) => !text.includes("\0") && !/\$\{/.test(text.slice(1)));
const server: fc.Arbitrary<ServerTable> = fc.oneof(
  fc.record({
    command: fc.constantFrom("npx", "/a b/c", "é"),
    args: fc.array(word, { maxLength: 3 }),
    env: fc.dictionary(fc.constantFrom("A", "B_1"), word, { maxKeys: 2 }),
    "secret_args": fc.constant("allow" as const),
  }),
  fc.record({
    url: fc.constantFrom("https://x", "http://x/?a=${secret:k}#b"),
    headers: fc.dictionary(
      fc.constantFrom("X-A", "b.c"),
      word.filter((text) => !/[\r\n]/.test(text)),
      { maxKeys: 2 },
    ),
    disabled: fc.constant(true as const),
  }),
);

Deno.test("addServers() and removeServer() say what was meant, in any manifest", () => {
  const name = fc.constantFrom("n1", "n.2", "n-3", "constructor");
  fc.assert(
    fc.property(model, name, server, (one, name, table) => {
      const text = textOf(one);
      const added = addServers(text, [{ name, table }], FILE);
      const plain = JSON.parse(JSON.stringify(table));
      const written = JSON.parse(
        JSON.stringify((parse(added)["mcp"] as never)[name]),
      );
      deepStrictEqual(written, plain);
      deepStrictEqual(
        { ...parseManifest(added, "m"), mcp: {} },
        { ...parseManifest(text, "m"), mcp: {} },
      );
      deepStrictEqual(
        parseManifest(removeServer(added, name, FILE), "m"),
        parseManifest(text, "m"),
      );
    }),
    { numRuns: 1500 },
  );
});
