/**
 * The files that a role loads before it begins, put together into one, and those that are loaded together later: each costs a
 * part of a millisecond. What is loaded later finds what it shares with the role in the role's file.
 */

import { parse } from "acorn";
import * as esbuild from "esbuild";

/** A file of a bundle. */
export interface Output {
  /** Its name; all lie in one directory. */
  readonly name: string;
  readonly text: string;
  /** What it exports. */
  readonly exports: readonly string[];
  /** Names of the files that it loads when it is loaded itself. */
  readonly imports: readonly string[];
}

/**
 * The same bundle, with all that `entry` loads at its start in its own file, and all that each of `later` loads, and none
 * before it has, in that one's.
 */
export async function mergeStart(
  outputs: readonly Output[],
  entry: string,
  later: readonly string[] = [],
): Promise<Map<string, string>> {
  const byName = new Map(outputs.map((output) => [output.name, output]));
  const texts = new Map(outputs.map(({ name, text }) => [name, text]));
  const names = new ExportNames();
  /** Name of a part → name of the file that it is in now. */
  const moved = new Map<string, string>();
  const done = new Set<string>();
  for (const file of [entry, ...later]) {
    if (!byName.has(file) || done.has(file)) continue;
    const loaded = [...loadedWith(file, byName)]
      .filter((name) => !done.has(name));
    for (const name of loaded) done.add(name);
    const parts = loaded.filter((name) => name !== file)
      .map((name) => byName.get(name)!);
    if (parts.length === 0) continue;
    texts.set(file, await mergedText(file, parts, { texts, names }));
    for (const part of parts) moved.set(part.name, file);
  }
  for (const [name, text] of texts) {
    const file = moved.get(name);
    texts.set(
      name,
      file === undefined
        ? importedFrom(moved, text, names)
        : standIn(byName.get(name)!, file, names),
    );
  }
  return texts;
}

function loadedWith(
  entry: string,
  byName: ReadonlyMap<string, Output>,
): Set<string> {
  const seen = new Set<string>();
  const left = [entry];
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    left.push(...byName.get(name)?.imports ?? []);
  }
  return seen;
}

/** The names under which a merged file exports what its parts exported: short ones, since every launch reads them. */
class ExportNames {
  readonly #names = new Map<string, string>();

  of(part: string, name: string): string {
    const key = `${part} ${name}`;
    const known = this.#names.get(key) ?? `$${this.#names.size.toString(36)}`;
    this.#names.set(key, known);
    return known;
  }
}

async function mergedText(
  entry: string,
  parts: readonly Output[],
  { texts, names }: {
    readonly texts: ReadonlyMap<string, string>;
    readonly names: ExportNames;
  },
): Promise<string> {
  const merged = new Set([entry, ...parts.map(({ name }) => name)]);
  const lines = parts.filter((part) => part.exports.length > 0).map((part) => {
    const list = part.exports.map((name) =>
      `${name} as ${names.of(part.name, name)}`
    );
    return `export { ${list.join(", ")} } from "./${part.name}";`;
  });
  const result = await esbuild.build({
    stdin: {
      contents: [`export * from "./${entry}";`, ...lines].join("\n"),
      resolveDir: "/",
    },
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    minify: true,
    write: false,
    logLevel: "silent",
    plugins: [inMemory(merged, texts)],
  });
  return result.outputFiles[0]!.text;
}

/** Finds the merged files in memory, and leaves all others to be loaded. */
function inMemory(
  names: ReadonlySet<string>,
  texts: ReadonlyMap<string, string>,
): esbuild.Plugin {
  return {
    name: "in-memory",
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, kind }) => {
        const name = path.replace(/^\.\//, "");
        return names.has(name) && kind !== "dynamic-import"
          ? { path: name, namespace: "merged" }
          : { path, external: true };
      });
      build.onLoad({ filter: /.*/, namespace: "merged" }, ({ path }) => ({
        contents: texts.get(path)!,
        loader: "js",
      }));
    },
  };
}

/** What stands in a part's place for who imports it as a whole: the file that it is in has been loaded then, or is now. */
function standIn(part: Output, file: string, names: ExportNames): string {
  const list = part.exports.map((name) =>
    `${names.of(part.name, name)} as ${name}`
  );
  return `export{${list.join(",")}}from"./${file}";\n`;
}

/** A file whose imports of parts lead to where those are now: a stand-in is one file more to load. */
function importedFrom(
  moved: ReadonlyMap<string, string>,
  text: string,
  names: ExportNames,
): string {
  const lists = new Map<string, string[]>();
  const kept: string[] = [];
  let at = 0;
  const { body } = parse(text, { ecmaVersion: "latest", sourceType: "module" });
  for (const node of body) {
    if (node.type === "ExportAllDeclaration") {
      throw new Error("a file of the bundle exports another one's names");
    }
    if (!("source" in node) || typeof node.source?.value !== "string") continue;
    const part = node.source.value.replace(/^\.\//, "");
    const file = moved.get(part);
    if (file === undefined) continue;
    if (node.type !== "ImportDeclaration") {
      throw new Error("a file of the bundle exports another one's names");
    }
    const list = lists.get(file) ?? [];
    lists.set(file, list);
    for (const specifier of node.specifiers) {
      if (
        specifier.type !== "ImportSpecifier" ||
        specifier.imported.type !== "Identifier"
      ) {
        throw new Error("a file of the bundle imports another one as a whole");
      }
      const name = names.of(part, specifier.imported.name);
      list.push(`${name} as ${specifier.local.name}`);
    }
    kept.push(text.slice(at, node.start));
    at = node.end;
  }
  const lines = [...lists].map(([file, list]) =>
    list.length === 0
      ? `import"./${file}";`
      : `import{${list.join(",")}}from"./${file}";`
  );
  return lines.join("") + kept.join("") + text.slice(at);
}
