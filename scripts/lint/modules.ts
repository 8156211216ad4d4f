/** Where a file stands in the house: the layer table, read by the lint rules. */

/** Modules under `src/` by layer, lowest first. A module may import lower layers and itself. */
export const LAYERS: readonly (readonly string[])[] = [
  ["base"],
  ["os"],
  [
    "manifest",
    "agents",
    "sources",
    "store",
    "tx",
    "sandbox",
    "secrets",
    "memory",
    "audit",
    "shell",
    "trust",
  ],
  ["env", "launch", "bundle"],
  ["api", "doctor", "verify", "tui"],
  ["cli"],
];

/** The only edges inside one layer, each a decision. */
export const SIDEWAYS: ReadonlySet<string> = new Set([
  "tx>store",
  "secrets>audit",
  "launch>env",
  "bundle>env",
]);

/** Modules whose files are imported one by one; all others are entered through `mod.ts`. */
export const FILE_BY_FILE: ReadonlySet<string> = new Set(["base", "os"]);

/** What part of the repository a path belongs to. */
export type Place =
  | { readonly kind: "module"; readonly name: string }
  | { readonly kind: "main" }
  | { readonly kind: "library" }
  | { readonly kind: "stray" }
  | { readonly kind: "shim" | "scripts" | "tests" }
  | { readonly kind: "outside" };

const ROOT = new URL("../../", import.meta.url).pathname;

/** A file name as the linter gives it, as a path below the repository with forward slashes. */
export function repositoryPath(filename: string): string {
  const path = filename.replaceAll("\\", "/").replace(/^([A-Za-z]:)/, "/$1");
  return path.startsWith(ROOT) ? path.slice(ROOT.length) : path;
}

/** True for unit tests and everything under `tests/`. */
export function isTestPath(path: string): boolean {
  return path.startsWith("tests/") || /_test\.tsx?$/.test(path);
}

/** The place of a path below the repository. */
export function placeOf(path: string): Place {
  const [top, second, ...rest] = path.split("/");
  if (top === "shim" || top === "scripts" || top === "tests") {
    return { kind: top };
  }
  if (top !== "src" || second === undefined) return { kind: "outside" };
  if (rest.length > 0) return { kind: "module", name: second };
  if (/^main(_[a-z]+)?\.ts$/.test(second)) return { kind: "main" };
  if (/^mod(_test)?\.ts$/.test(second)) return { kind: "library" };
  return { kind: "stray" };
}

/** Layer number of a module, -1 when it is not in the table. */
export function layerOf(name: string): number {
  return LAYERS.findIndex((names) => names.includes(name));
}

/** Path below the repository that a relative specifier in `path` means; undefined for a bare one. */
export function resolveImport(
  path: string,
  specifier: string,
): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

/** Why the file at `from` may not import the file at `to`, or undefined when it may. */
export function importProblem(from: string, to: string): string | undefined {
  const target = placeOf(to);
  const place = placeOf(from);
  if (place.kind === "tests" || isTestPath(from)) return undefined;
  // The demo shows with the tests' stub what the tests prove.
  if (place.kind === "scripts" && to.startsWith("tests/support/")) {
    return undefined;
  }
  if (target.kind === "shim" || target.kind === "tests") {
    return place.kind === target.kind
      ? undefined
      : `Only tests may import ${target.kind}/`;
  }
  const name = target.kind === "module" ? target.name : undefined;
  if (place.kind === "shim") {
    return "shim/ must not import anything outside itself";
  }
  if (place.kind === "scripts") {
    return target.kind === "scripts" || name === "base"
      ? undefined
      : "scripts/ may import src/base and nothing else of src/";
  }
  // A role that is built as a file of its own.
  if (place.kind === "main" && target.kind === "main") return undefined;
  if (name === undefined) return `src/ must not import "${to}"`;
  return moduleProblem(place, { name, path: to });
}

function moduleProblem(
  place: Place,
  target: { readonly name: string; readonly path: string },
): string | undefined {
  const { name, path } = target;
  if (place.kind === "library" && name !== "api") {
    return "src/mod.ts may import src/api and nothing else";
  }
  if (place.kind === "module") {
    if (place.name === name) return undefined;
    const isDown = layerOf(name) < layerOf(place.name);
    if (!isDown && !SIDEWAYS.has(`${place.name}>${name}`)) {
      return `src/${place.name} must not import src/${name}`;
    }
  }
  // main.ts loads a role's one file, so that a shim does not pay for the rest of the module.
  const isEntered = path === `src/${name}/mod.ts` || FILE_BY_FILE.has(name) ||
    place.kind === "main";
  return isEntered ? undefined : `Import src/${name} through its mod.ts`;
}
