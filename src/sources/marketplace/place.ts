/** Where a marketplace says a plugin is: all the kinds of `source` that Claude Code 2.1.329 knows. Pure. */
import { AppError } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import {
  parseGitRef,
  parseGitUrl,
  parseNpmWords,
  parseRepository,
} from "../parse.ts";
import type { ArchiveSpec, GitSpec, NpmSpec } from "../source.ts";
import { checkUrl } from "../url.ts";
import { isRecord } from "../json.ts";
import type { Catalog, CatalogEntry } from "./catalog.ts";

/** What a plugin's source comes to. */
export interface PluginPlace {
  /** `inside`: in the marketplace itself. */
  readonly spec: NpmSpec | GitSpec | ArchiveSpec | { readonly kind: "inside" };
  /** Directory in there; undefined for all of it. */
  readonly subpath: string | undefined;
}

const BARE_NAME = /^[A-Za-z0-9][-A-Za-z0-9._]*$/;

/** Reads the source of an entry. Throws `CONTENT_INVALID`, `SOURCE_INVALID`, `SOURCE_REFUSED`. */
export function placeOf(entry: CatalogEntry, catalog: Catalog): PluginPlace {
  const { source } = entry;
  if (typeof source === "string") {
    return {
      spec: { kind: "inside" },
      subpath: insidePath(source, entry, catalog),
    };
  }
  if (!isRecord(source)) throw bad(entry, catalog, "it has no source");
  const read = (name: string) => text(source[name]);
  const reader: Reader = { entry, catalog, read };
  switch (source["source"]) {
    case "github":
      return {
        spec: withRef(repository(reader, "repo"), reader),
        subpath: undefined,
      };
    case "git":
    case "url":
      return {
        spec: withRef(repository(reader, "url"), reader),
        subpath: undefined,
      };
    case "git-subdir":
      return {
        spec: withRef(repository(reader, "url"), reader),
        subpath: cleanPath(needed(reader, "path"), reader),
      };
    case "npm":
      return { spec: npmSpec(reader), subpath: undefined };
    case "archive":
      return { spec: archiveSpec(reader), subpath: undefined };
    case "command":
      throw bad(
        entry,
        catalog,
        "it is made by a command, and installing runs none",
      );
    default:
      throw bad(
        entry,
        catalog,
        `its kind of source ${quote(String(source["source"]))} is not known`,
      );
  }
}

interface Reader {
  readonly entry: CatalogEntry;
  readonly catalog: Catalog;
  readonly read: (name: string) => string | undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function needed(reader: Reader, name: string): string {
  const value = reader.read(name);
  if (value !== undefined) return value;
  throw bad(reader.entry, reader.catalog, `its source has no ${quote(name)}`);
}

/** `./path` from the marketplace's root; a bare name lies below `metadata.pluginRoot`. */
function insidePath(
  source: string,
  entry: CatalogEntry,
  catalog: Catalog,
): string | undefined {
  const at = { entry, catalog };
  if (source === "." || source.startsWith("./")) return cleanPath(source, at);
  const root = catalog.pluginRoot;
  if (BARE_NAME.test(source) && root !== undefined) {
    return cleanPath(`${root}/${source}`, at);
  }
  throw bad(
    entry,
    catalog,
    `its source ${quote(source)} does not start with ${quote("./")}`,
  );
}

/** A path without `.`; undefined for the root. */
function cleanPath(
  path: string,
  at: { readonly entry: CatalogEntry; readonly catalog: Catalog },
): string | undefined {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  const isOutside = path.startsWith("/") || parts.includes("..") ||
    /[\\\0]|^[A-Za-z]:/.test(path);
  if (isOutside) {
    throw bad(
      at.entry,
      at.catalog,
      `its path ${quote(path)} leads out of the marketplace`,
    );
  }
  return parts.length === 0 ? undefined : parts.join("/");
}

function repository(reader: Reader, field: string): GitSpec {
  const address = needed(reader, field);
  return parseRepository(address) ?? parseGitUrl(address);
}

/** `sha` (Claude Code's name) or `commit` beats `ref`, which may move. */
function withRef(spec: GitSpec, reader: Reader): GitSpec {
  const commit = reader.read("sha") ?? reader.read("commit");
  const ref = commit ?? reader.read("ref");
  if (ref === undefined) return spec;
  const parsed = parseGitRef(ref);
  if (commit !== undefined && parsed.type !== "commit") {
    throw bad(
      reader.entry,
      reader.catalog,
      `${quote(commit)} is not a whole commit`,
    );
  }
  return { ...spec, ref: parsed };
}

function npmSpec(reader: Reader): NpmSpec | ArchiveSpec {
  const words = needed(reader, "package").replace(/^npm:/, "");
  if (/^https?:/.test(words)) {
    return { kind: "archive", url: checkUrl(words, ["https"]).href };
  }
  const spec = parseNpmWords(words, words);
  const wanted = reader.read("version") ?? spec.wanted;
  const registry = reader.read("registry");
  const own = registry === undefined
    ? {}
    : { registry: checkUrl(registry, ["https"]).href };
  return {
    ...parseNpmWords(spec.name + (wanted && `@${wanted}`), words),
    ...own,
  };
}

function archiveSpec(reader: Reader): ArchiveSpec {
  const { entry, catalog } = reader;
  if (entry["headers"] !== undefined || entry["headersHelper"] !== undefined) {
    throw bad(entry, catalog, "its archive wants headers, which are not sent");
  }
  const url = checkUrl(needed(reader, "url"), ["https"]).href;
  const sha256 = reader.read("sha256")?.toLowerCase();
  if (sha256 === undefined) return { kind: "archive", url };
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw bad(entry, catalog, `${quote(sha256)} is no SHA-256 digest`);
  }
  return { kind: "archive", url, sha256 };
}

function bad(entry: CatalogEntry, catalog: Catalog, state: string): AppError {
  return new AppError(
    "CONTENT_INVALID",
    `Cannot use the plugin ${quote(entry.name)} of ${
      quote(catalog.what)
    }: ${state}`,
    { hint: "Tell who keeps the marketplace" },
  );
}
