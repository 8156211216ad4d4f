/** The reader and the editor of TOML against toml-test's corpus. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { parse } from "smol-toml";
import { editToml, parseTomlText } from "../../src/manifest/mod.ts";

/** Nothing here depends on the system, and only Debian has the corpus as a package: elsewhere there is nothing to run. */
function onLinux(name: string, test: () => void): void {
  if (Deno.build.os === "linux") Deno.test(name, test);
}

/** Where Debian's package puts it. */
const CORPUS =
  "/usr/share/gocode/src/github.com/BurntSushi/toml/internal/toml-test/tests";

/** Invalid in TOML 1.0 and valid in 1.1, which the reader knows. */
const TOML_1_1 = [
  "invalid/datetime/no-secs.toml",
  "invalid/inline-table/linebreak-1.toml",
  "invalid/inline-table/linebreak-2.toml",
  "invalid/inline-table/linebreak-3.toml",
  "invalid/inline-table/linebreak-4.toml",
  "invalid/inline-table/trailing-comma.toml",
  "invalid/string/basic-byte-escapes.toml",
];

/** The documents below a directory of the corpus, by their path in it. */
function documents(directory: "valid" | "invalid"): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  const walk = (path: string) => {
    for (const entry of Deno.readDirSync(`${CORPUS}/${path}`)) {
      const below = `${path}/${entry.name}`;
      if (entry.isDirectory) walk(below);
      else if (below.endsWith(".toml")) {
        found.set(below, Deno.readFileSync(`${CORPUS}/${below}`));
      }
    }
  };
  try {
    walk(directory);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      "The corpus is missing: apt-get install golang-github-burntsushi-toml-dev",
    );
  }
  return found;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
    bytes,
  );
}

/** A value of the corpus without its type tags; a date as the text of its instant. */
function untag(tagged: unknown): unknown {
  if (Array.isArray(tagged)) return tagged.map(untag);
  const table = tagged as Record<string, unknown>;
  const { type, value } = table;
  if (typeof type === "string" && typeof value === "string") {
    if (type === "string") return value;
    if (type === "bool") return value === "true";
    return type === "integer" || type === "float"
      ? Number(value.replace("inf", "Infinity"))
      : "a date";
  }
  return mapValues(table, untag);
}

function plain(value: unknown): unknown {
  if (value instanceof Date) return "a date";
  if (typeof value === "bigint") return Number(value);
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return mapValues(value as Record<string, unknown>, plain);
}

function mapValues(
  table: Record<string, unknown>,
  change: (value: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(table).map(([key, value]) => [key, change(value)]),
  );
}

function fail(state: string): never {
  throw new Error(state);
}

onLinux(
  "every valid document of toml-test is read, with the values that it means",
  () => {
    const all = documents("valid");
    ok(all.size >= 100, `only ${all.size} documents`);
    for (const [path, bytes] of all) {
      const expected = JSON.parse(
        Deno.readTextFileSync(`${CORPUS}/${path.replace(/\.toml$/, ".json")}`),
      );
      const values = parse(textOf(bytes), { integersAsBigInt: "asNeeded" });
      deepStrictEqual(plain(values), untag(expected), path);
    }
  },
);

onLinux("what toml-test calls invalid is refused with line and column", () => {
  const all = documents("invalid");
  ok(all.size >= 200, `only ${all.size} documents`);
  const accepted: string[] = [];
  for (const [path, bytes] of all) {
    let text: string;
    try {
      text = textOf(bytes);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      continue; // Not UTF-8: no text to parse.
    }
    try {
      parseTomlText(text, fail);
      accepted.push(path);
    } catch (error) {
      ok(error instanceof Error);
      ok(/^line \d+, column \d+: \S/.test(error.message), `${path}: ${error}`);
    }
  }
  deepStrictEqual(accepted.sort(), TOML_1_1);
});

/** Comments with a line of their own, where the corpus has them: not in strings. */
function commentLines(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) =>
    line.startsWith("#")
  );
}

onLinux(
  "every valid document of toml-test can be edited, and nothing else in it changes",
  () => {
    for (const [path, bytes] of documents("valid")) {
      const text = textOf(bytes);
      // Numbers that JavaScript cannot hold are refused before anything is edited.
      if (path === "valid/integer/long.toml") continue;
      const keys = Object.keys(parse(text));
      const options = { file: path, code: "CONFIG_INVALID" } as const;
      const added = editToml(text, (document) => {
        document["zz added"] = "it's";
      }, options);
      const removed = editToml(added, (document) => {
        delete document["zz added"];
      }, options);
      for (const line of commentLines(text)) ok(removed.includes(line), path);
      strictEqual(
        removed.replaceAll(/\s/g, ""),
        text.replaceAll(/\s/g, ""),
        path,
      );
      for (const key of keys) {
        const without = editToml(text, (document) => {
          delete document[key];
        }, options);
        deepStrictEqual(
          Object.keys(parse(without)),
          keys.filter((other) => other !== key),
          path,
        );
      }
    }
  },
);
