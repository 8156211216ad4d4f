/** Anything that somebody could paste or import: the right servers, or an error. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { AppError } from "../../base/errors.ts";
import type { ServerTable } from "../../base/server_table.ts";
import {
  foreignDocument,
  referenceText,
} from "../../../tests/support/foreign_documents.ts";
import { convertReferences } from "./references.ts";
import {
  type ForeignServer,
  foreignServers,
  type LinkKind,
  linkKind,
  readLink,
} from "./mod.ts";

const CONTEXT = { secretKey: (id: string) => id, hasWorkspace: true };

/** The servers, or undefined for an error that a user can understand. Anything else is thrown. */
function attempt(read: () => ForeignServer[]): ForeignServer[] | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof AppError && error.code === "CONTENT_INVALID") {
      return undefined;
    }
    throw error;
  }
}

function readText(text: string): ForeignServer[] | undefined {
  return attempt(() =>
    foreignServers({ text, from: "f", comments: true }, CONTEXT)
  );
}

/** Every text of a declaration. */
function textsOf(table: ServerTable): string[] {
  const { command = "", args = [], env = {}, url = "", headers = {} } = table;
  const cwd = table.cwd ?? "";
  return [
    ...[command, cwd, url, ...args],
    ...Object.values(env),
    ...Object.values(headers),
  ];
}

/** What holds of every server that can be taken over. */
function checkServer(server: ForeignServer): void {
  const { table, problems, name, asked } = server;
  if (problems.length > 0) return;
  ok(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name), name);
  ok((table.command === undefined) !== (table.url === undefined));
  for (const value of textsOf(table)) {
    strictEqual(typeof value, "string");
    ok(!value.includes("\0"), value);
    for (const [, body, end] of value.matchAll(/\$\{([^}]*)(\}?)/g)) {
      strictEqual(end, "}", value);
      const key = /^secret:(.*)$/.exec(body!)?.[1];
      if (key === undefined) {
        ok(/^(env:)?[A-Za-z_]\w*(:-.*)?$/s.test(body!), value);
      } else ok(asked.some((secret) => secret.key === key), value);
    }
  }
}

Deno.test("foreignServers() makes a server or names a problem, of any document", () => {
  fc.assert(
    fc.property(foreignDocument, (value) => {
      for (const server of readText(JSON.stringify(value)) ?? []) {
        checkServer(server);
      }
    }),
    { numRuns: 25_000 },
  );
});

Deno.test("foreignServers() reads or refuses any text, whole or cut", () => {
  const written = foreignDocument.map((value) =>
    JSON.stringify(value, undefined, 1)
  );
  const cut = fc.tuple(written, fc.nat(), fc.constantFrom("", "}", "//", "\0"))
    .map(([whole, at, more]) => whole.slice(0, at % (whole.length + 1)) + more);
  const soup = fc.array(
    fc.constantFrom(
      ...["{", "}", "[", "]", ",", ":", '"', "\\", "//", "/*", "*/", "\n"],
      ...['"servers"', '"command"', '"a"', "1", "null", "\ufeff"],
    ),
  ).map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(cut, soup, fc.string()), (any) => {
      readText(any)?.forEach(checkServer);
    }),
    { numRuns: 15_000 },
  );
});

const plainText = fc.string({ maxLength: 10 }).filter((one) =>
  !/\$\{|\0/.test(one) && one.trim() !== "" && one.isWellFormed()
);
/** Servers without anything that is converted. */
const plainServer = fc.record({
  command: fc.constantFrom("npx", "node", "/usr/bin/x"),
  args: fc.array(plainText, { minLength: 1, maxLength: 3 }),
  env: fc.dictionary(fc.constantFrom("A", "B_1"), plainText, {
    minKeys: 1,
    noNullPrototype: true,
  }),
}, { noNullPrototype: true });

Deno.test("foreignServers() takes over what needs no conversion, unchanged", () => {
  const names = fc.constantFrom("a", "b-c", "D_1");
  fc.assert(
    fc.property(
      fc.dictionary(names, plainServer, { minKeys: 1, noNullPrototype: true }),
      fc.constantFrom("mcpServers", "servers"),
      (all, key) => {
        const found = readText(JSON.stringify({ [key]: all }))!;
        deepStrictEqual(
          Object.fromEntries(found.map(({ name, table }) => [name, table])),
          all,
        );
        ok(found.every(({ problems }) => problems.length === 0));
      },
    ),
    { numRuns: 10_000 },
  );
});

/** The ways in which links write a declaration. */
const WRITTEN: readonly ((json: string) => [string, LinkKind])[] = [
  (json) => [
    `vscode:mcp/install?${encodeURIComponent(withName(json))}`,
    "vscode",
  ],
  (json) => [
    `https://vscode.dev/redirect/mcp/install?config=${
      encodeURIComponent(json)
    }&name=a`,
    "vscode",
  ],
  (json) => [
    `https://insiders.vscode.dev/redirect?url=${
      encodeURIComponent(
        `vscode:mcp/install?${encodeURIComponent(withName(json))}`,
      )
    }`,
    "vscode",
  ],
  (json) => [cursor(base64(json)), "cursor"],
  (json) => [cursor(encodeURIComponent(base64(json))), "cursor"],
  (json) => [
    cursor(base64(json).replaceAll("+", "-").replaceAll("/", "_")),
    "cursor",
  ],
];

function withName(json: string): string {
  return JSON.stringify({ name: "a", ...JSON.parse(json) });
}

function cursor(config: string): string {
  return `cursor://anysphere.cursor-deeplink/mcp/install?name=a&config=${config}`;
}

function base64(json: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(json)));
}

Deno.test("readLink() gives the server that was written into a link, however it is encoded", () => {
  fc.assert(
    fc.property(plainServer, fc.constantFrom(...WRITTEN), (server, write) => {
      const [link, kind] = write(JSON.stringify(server));
      strictEqual(linkKind(link), kind);
      const found = foreignServers(readLink(link, kind), CONTEXT);
      deepStrictEqual(
        found.map(({ name, table, problems }) => [
          name,
          table,
          problems,
        ]),
        [["a", server, []]],
      );
    }),
    { numRuns: 15_000 },
  );
});

Deno.test("readLink() reads or refuses any link", () => {
  const start = fc.constantFrom(
    "vscode:mcp/install?",
    "vscode:mcp/install?name=a&config=",
    "https://vscode.dev/redirect?url=",
    "https://insiders.vscode.dev/redirect/mcp/install?config=",
    "cursor://anysphere.cursor-deeplink/mcp/install?config=",
    "https://cursor.com/install-mcp?name=a&config=",
    "",
  );
  const end = fc.array(
    fc.oneof(
      fc.constantFrom("%", "%25", "%7B", "%FF", "=", "&", "?", "#", "+", "/"),
      fc.constantFrom("name=", "config=", "e30=", "eyJhIjoxfQ==", "{", "}"),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 6 },
  ).map((parts) => parts.join(""));
  fc.assert(
    fc.property(start, end, (start, end) => {
      const link = start + end;
      for (const kind of ["cursor", "vscode"] as const) {
        attempt(() => foreignServers(readLink(link, kind), CONTEXT))
          ?.forEach(checkServer);
      }
    }),
    { numRuns: 15_000 },
  );
});

Deno.test("convertReferences() keeps what is no reference, and never passes on one that it does not know", () => {
  fc.assert(
    fc.property(
      referenceText,
      fc.boolean(),
      fc.boolean(),
      (text, isOwn, isLocal) => {
        const problems: string[] = [];
        const result = convertReferences(text, { what: "w", isLocal }, {
          inputs: new Map([["x", {
            id: "x",
            kind: "secret",
            description: "",
            fallback: undefined,
          }]]),
          isOwn,
          note: () => undefined,
          problem: (problem) => problems.push(problem),
          ask: ({ id }) => id,
          useWorkspace: () => undefined,
        });
        if (!text.includes("${")) return strictEqual(result, text);
        if (problems.length > 0) return;
        for (const [, body] of result.matchAll(/\$\{([^}]*)\}/g)) {
          const isSecret = body!.startsWith("secret:") &&
            (isOwn || body === "secret:x");
          ok(isSecret || /^(env:)?[A-Za-z_]\w*(:-.*)?$/s.test(body!), body);
        }
      },
    ),
    { numRuns: 25_000 },
  );
});
