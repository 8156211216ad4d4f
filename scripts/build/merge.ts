/**
 * The files that a role loads before it begins, put together into one: each costs a part of a millisecond. What is loaded
 * later keeps its own files, and finds what it shares with the role in the role's file.
 */

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

/** The same bundle, with all that `entry` loads at its start in its own file. */
export async function mergeStart(
  outputs: readonly Output[],
  entry: string,
): Promise<Map<string, string>> {
  const byName = new Map(outputs.map((output) => [output.name, output]));
  const start = [...loadedWith(entry, byName)];
  const texts = new Map(outputs.map(({ name, text }) => [name, text]));
  if (start.length === 1) return texts;
  const parts = start.filter((name) => name !== entry)
    .map((name) => byName.get(name)!);
  const names = new ExportNames();
  texts.set(entry, await mergedText(entry, parts, { texts, names }));
  for (const part of parts) texts.set(part.name, standIn(part, entry, names));
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

/** The names under which the role's file exports what its parts exported: short ones, since every launch reads them. */
class ExportNames {
  readonly #names = new Map<string, string>();

  of(part: Output, name: string): string {
    const key = `${part.name} ${name}`;
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
      `${name} as ${names.of(part, name)}`
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

/** What stands in a part's place for those that are loaded later: the role's file has been loaded then. */
function standIn(part: Output, entry: string, names: ExportNames): string {
  const list = part.exports.map((name) => `${names.of(part, name)} as ${name}`);
  return `export{${list.join(",")}}from"./${entry}";\n`;
}
