/** `marketplace.json` as Claude Code 2.1.329 reads it. Pure. */
import { AppError } from "../../base/errors.ts";
import { didYouMean, quote } from "../../base/text.ts";
import { isRecord, parseRecord } from "../json.ts";

/** Where a repository keeps it. */
export const CATALOG_FILE = ".claude-plugin/marketplace.json";

/** A plugin as the marketplace lists it, unchecked. */
export interface CatalogEntry {
  readonly name: string;
  readonly source: unknown;
  readonly [key: string]: unknown;
}

/** A marketplace. */
export interface Catalog {
  /** What errors call it. */
  readonly what: string;
  /** Where sources without `./` lie. */
  readonly pluginRoot: string | undefined;
  readonly plugins: readonly CatalogEntry[];
  /** Former name → name. */
  readonly renames: Readonly<Record<string, unknown>>;
}

/** Parses the file. Throws `CONTENT_INVALID`. */
export function parseCatalog(text: string, what: string): Catalog {
  const refuse = (state: string, cause?: unknown) =>
    new AppError(
      "CONTENT_INVALID",
      `Cannot use ${quote(what)} as a marketplace: its ${
        quote(CATALOG_FILE)
      } ${state}`,
      { cause },
    );
  const value = parseRecord(text, refuse);
  const { plugins, metadata, renames } = value;
  if (!Array.isArray(plugins)) throw refuse("lists no plugins");
  const root = isRecord(metadata) ? metadata["pluginRoot"] : undefined;
  return {
    what,
    pluginRoot: typeof root === "string" ? root : undefined,
    // One entry that nobody can read does not spoil the others.
    plugins: plugins.filter(isEntry),
    renames: isRecord(renames) ? renames : {},
  };
}

function isEntry(value: unknown): value is CatalogEntry {
  return isRecord(value) && typeof value["name"] === "string";
}

/** The plugin of this name. Throws `SOURCE_NOT_FOUND`. */
export function findEntry(catalog: Catalog, name: string): CatalogEntry {
  const found = catalog.plugins.filter((entry) => entry.name === name);
  const [entry] = found;
  if (entry !== undefined && found.length === 1) return entry;
  const names = catalog.plugins.map((plugin) => plugin.name);
  const renamed = Object.hasOwn(catalog.renames, name)
    ? catalog.renames[name]
    : undefined;
  const meant = typeof renamed === "string" ? renamed : didYouMean(name, names);
  throw new AppError(
    "SOURCE_NOT_FOUND",
    `Cannot find the plugin ${quote(name)} in ${quote(catalog.what)}: ${
      entry === undefined
        ? "the marketplace does not list it"
        : "the marketplace lists it more than once"
    }`,
    {
      hint: meant !== undefined
        ? `Did you mean ${quote(meant)}`
        : `It has: ${names.slice(0, 20).map(quote).join(", ")}`,
    },
  );
}
