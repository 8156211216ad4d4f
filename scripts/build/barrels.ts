/**
 * Imports through a module's face, `mod.ts`, turned into imports of the files behind it. The bundler counts everything a
 * face names as needed by whoever imports it, so each command would load its module's whole code.
 */

import { dirname, join } from "node:path";

/** Where a name of a face comes from. */
interface Origin {
  /** Absolute path. */
  readonly file: string;
  /** The name there; `*` for the whole module. */
  readonly name: string;
}

/** Reads a file; given from outside so that tests need none. */
export type ReadText = (path: string) => string;

const IMPORT = /^import\s*\{([^}]*)\}\s*from\s*"([^"]*\/mod\.ts)";/gm;
const EXPORT = /^export\s*\{([^}]*)\}\s*from\s*"([^"]+)";/gm;
const EXPORT_NAMESPACE = /^export\s*\*\s*as\s+(\w+)\s+from\s*"([^"]+)";/gm;

/** `source`, the text of the file `path`, with its imports from faces replaced. Names that a face defines itself stay. */
export function flattenBarrels(
  source: string,
  path: string,
  read: ReadText,
): string {
  return source.replace(IMPORT, (_whole, names: string, specifier: string) => {
    const face = join(dirname(path), specifier);
    const lines = splitNames(names).map(({ name, local }) => {
      const origin = findOrigin(face, name, read);
      const from = JSON.stringify(origin.file);
      return origin.name === "*"
        ? `import * as ${local} from ${from};`
        : `import { ${origin.name} as ${local} } from ${from};`;
    });
    return lines.join("");
  });
}

/** Follows a name through faces to the file that defines it. */
function findOrigin(face: string, name: string, read: ReadText): Origin {
  const text = read(face);
  for (const [, names, specifier] of text.matchAll(EXPORT)) {
    const found = splitNames(names!).find((item) => item.local === name);
    if (!found) continue;
    const file = join(dirname(face), specifier!);
    return file.endsWith("/mod.ts")
      ? findOrigin(file, found.name, read)
      : { file, name: found.name };
  }
  for (const [, local, specifier] of text.matchAll(EXPORT_NAMESPACE)) {
    if (local === name) {
      return { file: join(dirname(face), specifier!), name: "*" };
    }
  }
  return { file: face, name };
}

/** `a, type B, c as d` as names and local names; types are left out, since they vanish anyway. */
function splitNames(text: string): { name: string; local: string }[] {
  return text.split(",").map((part) => part.trim())
    .filter((part) => part !== "" && !part.startsWith("type "))
    .map((part) => {
      const [name, local] = part.split(/\s+as\s+/);
      return { name: name!, local: local ?? name! };
    });
}
