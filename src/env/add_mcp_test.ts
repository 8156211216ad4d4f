import { deepStrictEqual, match, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { foreignDocument } from "../../tests/support/foreign_documents.ts";
import { foreign } from "../agents/mod.ts";
import { AppError } from "../base/errors.ts";
import { addServers, findReferences, parseManifest } from "../manifest/mod.ts";
import { KeyNames, plainCredentials, planAddition } from "./add_mcp.ts";
import { requireImportable, selectServers } from "./import_mcp.ts";
import type { OpenEnv } from "./types.ts";

const TEXT = '[env]\nname = "x"\n';
/** As much of an env as a plan needs. */
const ENV = {
  manifestText: TEXT,
  manifestPath: "/m/aenv.toml",
} as OpenEnv;

function server(
  found: string,
  more: Partial<foreign.ForeignServer> = {},
): foreign.ForeignServer {
  return {
    found,
    name: found,
    from: "f",
    table: { command: "c" },
    notes: [],
    problems: [],
    asked: [],
    ...more,
  };
}

Deno.test("a server without problems can be declared, and a document is imported as a whole or not at all", () => {
  let whole = 0;
  fc.assert(
    fc.property(foreignDocument, (value) => {
      let servers;
      try {
        servers = foreign.foreignServers({
          text: JSON.stringify(value),
          from: "f",
          comments: false,
        }, { secretKey: (id) => id, hasWorkspace: true });
        requireImportable(selectServers(servers, []));
      } catch (error) {
        if (error instanceof AppError) return;
        throw error;
      }
      const names = servers.map(({ name }) => name);
      const { mcp } = parseManifest(
        addServers(TEXT, servers, { file: "m" }),
        "m",
      );
      deepStrictEqual(Object.keys(mcp).sort(), names.sort());
      if (names.length > 0) whole++;
    }),
    { numRuns: 10_000 },
  );
  ok(whole > 100, `${whole}`);
});

Deno.test("selectServers() chooses by either name, and renames", () => {
  const all = [server("a"), server("b c", { name: "b-c" }), server("d")];
  const names = (select: string[]) =>
    selectServers(all, select).map(({ name }) => name);
  deepStrictEqual(names([]), ["a", "b-c", "d"]);
  deepStrictEqual(names(["d", "b c"]), ["d", "b-c"]);
  deepStrictEqual(names(["b-c=e", "a"]), ["e", "a"]);
  throws(() => names(["x"]), /Cannot select "x": no server of that name/);
  throws(() => names(["a", "d=A"]), /two servers would be called/);
});

Deno.test("requireImportable() names every server that cannot be taken, and what can", () => {
  const all = [
    server("a", { problems: ["it has x", "it has y"] }),
    server("b c"),
    server("d", { problems: ["it has z"] }),
  ];
  throws(() => requireImportable(all), (error) => {
    const { message, hint } = error as AppError;
    match(message, /^Cannot import "a, d": they cannot be taken over/);
    match(
      hint!,
      /"a": it has x; it has y\n {2}"d": it has z\n.*--select "b c"/,
    );
    return true;
  });
});

Deno.test("planAddition() gives every credential a key of its own, and writes none of them", async () => {
  const servers = [
    { name: "a", table: { command: "c", env: { TOKEN: "one-value-1" } } },
    {
      name: "a-TOKEN",
      table: {
        command: "c",
        args: ["--api-key", "two-value-2"],
        env: { "2": "x", API_KEY: "three-value-3${env:A}four-value-4" },
      },
    },
  ];
  const good = servers.map(({ name, table }) => ({
    name,
    table: { ...table, env: { ...table.env, "2": undefined } },
  })).map(({ name, table }) => ({
    name,
    table: JSON.parse(JSON.stringify(table)),
  }));
  const names = new KeyNames(["a-TOKEN"]);
  const { text, moved } = await planAddition(ENV, good, names);
  deepStrictEqual(moved.map(({ key, where }) => [key, where]), [
    ["a-TOKEN-2", "env TOKEN"],
    ["a-TOKEN-api-key", "argument 2 (--api-key)"],
    ["a-TOKEN-API_KEY", "env API_KEY"],
    ["a-TOKEN-API_KEY-2", "env API_KEY"],
  ]);
  ok(!/value/.test(text), text);
  const { mcp } = parseManifest(text, "m");
  const used = Object.values(mcp).flatMap((one) =>
    one.type === "stdio" ? [...one.args, ...Object.values(one.env)] : []
  ).flatMap(findReferences).flatMap((one) =>
    one.kind === "secret" ? [one.key] : []
  );
  deepStrictEqual(used.sort(), moved.map(({ key }) => key as string).sort());
  deepStrictEqual(plainCredentials(good).length, 4);
  const plain = await planAddition(ENV, good, undefined);
  deepStrictEqual(plain.moved, []);
  match(plain.text, /one-value-1/);
});

Deno.test("KeyNames.make() makes keys that are valid and new, of any words", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.string({ maxLength: 120 }), { maxLength: 2 })),
      (all) => {
        const names = new KeyNames(["a"]);
        const made = all.map((words) => names.make(...words));
        deepStrictEqual(new Set([...made, "a"]).size, made.length + 1);
        for (const key of made) {
          ok(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/.test(key), key);
        }
      },
    ),
  );
});
