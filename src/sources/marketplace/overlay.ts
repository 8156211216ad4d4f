/**
 * What a marketplace says about the contents of a plugin, put into the plugin itself, so that it works without the marketplace. The rules
 * are those of Claude Code 2.1.329.
 */
import { AppError } from "../../base/errors.ts";
import { type AbsPath, join } from "../../base/paths.ts";
import { quote } from "../../base/text.ts";
import {
  isDirectory,
  lstat,
  makeDir,
  readDir,
  removeFile,
  removeTree,
  writeNew,
} from "../../os/fs.ts";
import { PLUGIN_MANIFEST, readPluginManifest } from "../content_root.ts";
import { isRecord } from "../json.ts";
import type { CatalogEntry } from "./catalog.ts";

/** Fields that say what a plugin consists of. */
const COMPONENTS = [
  "agents",
  "commands",
  "experimental",
  "hooks",
  "lspServers",
  "mcpServers",
  "outputStyles",
  "skills",
  "themes",
] as const;

/** Those that a plugin and a marketplace may not both set when the entry says `strict: false`. */
const CONFLICTING: readonly string[] = [
  "agents",
  "commands",
  "hooks",
  "outputStyles",
  "skills",
  "themes",
];

/** Taken from the entry only when the plugin has no manifest at all. */
const METADATA = [
  "author",
  "description",
  "displayName",
  "homepage",
  "keywords",
  "license",
  "repository",
  "version",
] as const;

const MAX_BYTES = 64 * 1024;

/** The overlay of an entry as JSON with sorted keys; undefined when it says nothing about the contents. Throws `CONTENT_INVALID`. */
export function overlayOf(
  entry: CatalogEntry,
  options: { readonly isWholeMarketplace: boolean },
): string | undefined {
  if (!COMPONENTS.some((name) => entry[name] !== undefined)) return undefined;
  const value: Record<string, unknown> = { name: entry.name };
  for (const name of [...COMPONENTS, ...METADATA]) {
    if (entry[name] !== undefined) value[name] = entry[name];
  }
  if (entry["strict"] === false) value["strict"] = false;
  // Several plugins may share the root; each then has the skills that it names and no others.
  const namesSkills = entry["skills"] !== undefined;
  if (options.isWholeMarketplace && namesSkills) value["onlySkills"] = true;
  const text = JSON.stringify(sorted(value));
  if (text.length <= MAX_BYTES) return text;
  throw new AppError(
    "CONTENT_INVALID",
    `Cannot use the plugin ${
      quote(entry.name)
    }: its marketplace says more than ${MAX_BYTES} bytes about it`,
  );
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]));
}

/** Writes the overlay into the plugin at `dir`, which is ours to change. Throws `CONTENT_INVALID`. */
export function applyOverlay(
  dir: AbsPath,
  overlay: string,
  what: string,
): void {
  const said = JSON.parse(overlay) as Record<string, unknown>;
  const own = readPluginManifest(dir, what);
  if (own !== undefined && said["strict"] === false) {
    refuseBoth(own, said, what);
  }
  if (said["onlySkills"] === true) keepOnly(dir, said);
  const manifest: Record<string, unknown> = own === undefined
    ? { name: said["name"] }
    : { ...own };
  if (own === undefined) {
    for (const name of METADATA) {
      if (said[name] !== undefined) manifest[name] = said[name];
    }
  }
  for (const name of COMPONENTS) {
    if (said[name] === undefined) continue;
    manifest[name] = manifest[name] === undefined
      ? said[name]
      : both(manifest[name], said[name]);
  }
  writeManifest(dir, manifest);
}

function refuseBoth(
  own: Readonly<Record<string, unknown>>,
  said: Readonly<Record<string, unknown>>,
  what: string,
): void {
  const name = CONFLICTING.find((field) => said[field] !== undefined);
  if (name === undefined) return;
  throw new AppError(
    "CONTENT_INVALID",
    `Cannot use ${quote(what)} as a plugin: its marketplace says ${
      quote("strict")
    }: false and names its ${
      quote(name)
    }, but it has a manifest of its own for ${quote(String(own["name"]))}`,
    { hint: "Tell who keeps the marketplace" },
  );
}

/** Objects are joined, everything else becomes a list; what is the same stands once. */
function both(own: unknown, said: unknown): unknown {
  if (isRecord(own) && isRecord(said)) return { ...own, ...said };
  const all = [own, said].flat();
  return all.filter((item, i) =>
    all.findIndex((other) => JSON.stringify(other) === JSON.stringify(item)) ===
      i
  );
}

/** Takes away the skills in `skills/` that the entry does not name, and from the entry those that are found there anyway. */
function keepOnly(dir: AbsPath, said: Record<string, unknown>): void {
  const named = [said["skills"]].flat()
    .map((path) => String(path).replace(/^\.\//, "").replace(/\/$/, ""));
  if (named.includes("skills") || named.includes("")) return;
  const skills = join(dir, "skills");
  for (const { name } of isDirectory(skills) ? readDir(skills) ?? [] : []) {
    const isNamed = named.some((path) =>
      path === `skills/${name}` || path.startsWith(`skills/${name}/`)
    );
    if (!isNamed) removeTree(join(skills, name));
  }
  const others = named.filter((path) => !/^skills\/[^/]+$/.test(path));
  if (others.length === 0) delete said["skills"];
  else said["skills"] = others.map((path) => `./${path}`);
}

function writeManifest(dir: AbsPath, manifest: unknown): void {
  const folder = join(dir, ".claude-plugin");
  if (lstat(folder)?.kind !== "directory") {
    // A link would lead to something else of the tree.
    removeFile(folder);
    makeDir(folder);
  }
  const file = join(dir, PLUGIN_MANIFEST);
  removeFile(file);
  writeNew(file, JSON.stringify(manifest, null, 2) + "\n", 0o644);
}
