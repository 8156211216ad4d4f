/** Where in a tree the plugin or skill is, and whether it is one. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, isWithin, join } from "../base/paths.ts";
import { listWords, quote } from "../base/text.ts";
import {
  isDirectory,
  isFile,
  lstat,
  readDir,
  readText,
  realPath,
} from "../os/fs.ts";
import { EXCLUDED_NAMES } from "../base/tree_names.ts";
import { parseRecord } from "./json.ts";

/** What a tree is wanted as. */
export type ContentKind = "plugin" | "skill";

/** Anything a plugin may consist of. Claude Code 2.1.329. */
const PLUGIN_PARTS: readonly string[] = [
  ".claude-plugin",
  ".lsp.json",
  ".mcp.json",
  "SKILL.md",
  "agents",
  "bin",
  "commands",
  "hooks",
  "monitors",
  "output-styles",
  "settings.json",
  "skills",
  "themes",
  "workflows",
];

/** A plugin's own manifest. */
export const PLUGIN_MANIFEST = ".claude-plugin/plugin.json";
const SKILL_FILE = "SKILL.md";
/** How far below the root a better subpath is looked for. */
const HINT_DEPTH = 3;

/** What is looked for. */
export interface ContentQuery {
  /** `anything`: what is missing will be added. */
  readonly kind: ContentKind | "anything";
  /** The source, for errors. */
  readonly what: string;
  /** Directory inside; relative, without `..`. */
  readonly subpath?: string | undefined;
  /** It comes from an archive, which may hold everything in one directory. */
  readonly mayBeWrapped?: boolean;
}

/** Whether `dir` is a plugin or a skill by what lies in it. Its manifest is not read. */
export function isContent(
  dir: AbsPath,
  kind: ContentQuery["kind"],
): boolean {
  return kind === "skill"
    ? isFile(join(dir, SKILL_FILE))
    : PLUGIN_PARTS.some((part) => lstat(join(dir, part)) !== undefined);
}

/**
 * The directory of the plugin or skill in a tree: its root or, in an archive whose root has nothing of the kind, the one directory
 * in it. Throws `CONTENT_INVALID`, naming the file that is missing or wrong.
 */
export function findContentRoot(dir: AbsPath, query: ContentQuery): AbsPath {
  const inner = query.mayBeWrapped ? onlyDirectory(dir) : undefined;
  const roots = inner === undefined ? [dir] : [dir, inner];
  const places = query.subpath === undefined
    ? roots
    : roots.flatMap((root) => directoryIn(root, query.subpath!) ?? []);
  if (places.length === 0) throw noSubpath(roots.at(-1)!, query);
  const hasManifest = (place: AbsPath) =>
    query.kind === "plugin" && isFile(join(place, PLUGIN_MANIFEST));
  const found = places.find(hasManifest) ??
    places.find((place) => isContent(place, query.kind)) ??
    (query.kind === "anything" ? places.at(-1) : undefined);
  if (found === undefined) throw notContent(dir, places.at(-1)!, query);
  if (query.kind === "plugin") readPluginManifest(found, query.what);
  return found;
}

/** The plugin's manifest as an object with a name; undefined when there is none. Throws `CONTENT_INVALID`. */
export function readPluginManifest(
  dir: AbsPath,
  what: string,
): (Record<string, unknown> & { name: string }) | undefined {
  const text = readText(join(dir, PLUGIN_MANIFEST));
  if (text === undefined) return undefined;
  const refuse = (state: string, cause?: unknown) =>
    new AppError(
      "CONTENT_INVALID",
      `Cannot use ${quote(what)} as a plugin: its ${
        quote(PLUGIN_MANIFEST)
      } ${state}`,
      { cause },
    );
  const value = parseRecord(text, refuse);
  const { name } = value;
  if (typeof name !== "string" || name === "") throw refuse("has no name");
  return { ...value, name };
}

/** Refuses a plugin that calls itself something else: the agent goes by its own word. Throws `CONTENT_INVALID`. */
export function requirePluginName(dir: AbsPath, name: string): void {
  const own = readPluginManifest(dir, name)?.name;
  if (own === undefined || own === name) return;
  throw new AppError(
    "CONTENT_INVALID",
    `Cannot use plugin ${quote(name)}: its own manifest calls it ${quote(own)}`,
    { hint: `Use that name: ${quote(own)}` },
  );
}

/** The directory that holds everything; undefined when there is more than one entry, or a file. */
function onlyDirectory(dir: AbsPath): AbsPath | undefined {
  const entries = (readDir(dir) ?? [])
    .filter(({ name }) => !EXCLUDED_NAMES.has(name));
  const [only] = entries;
  return entries.length === 1 && only?.kind === "directory"
    ? join(dir, only.name)
    : undefined;
}

function directoryIn(root: AbsPath, subpath: string): AbsPath | undefined {
  const real = realPath(root);
  const inside = realPath(join(root, subpath));
  if (real === undefined || inside === undefined) return undefined;
  return isDirectory(inside) && isWithin(inside, real) ? inside : undefined;
}

function noSubpath(root: AbsPath, query: ContentQuery): AppError {
  return new AppError(
    "CONTENT_INVALID",
    `Cannot use ${quote(query.what)}: it has no directory ${
      quote(query.subpath ?? "")
    }`,
    { hint: hintFor(root, query.kind) },
  );
}

function notContent(
  dir: AbsPath,
  place: AbsPath,
  query: ContentQuery,
): AppError {
  const file = query.kind === "skill" ? SKILL_FILE : PLUGIN_MANIFEST;
  const where = place === dir ? "its root" : quote(place.slice(dir.length + 1));
  const rest = query.kind === "skill"
    ? ""
    : ", and nothing else that a plugin consists of";
  const { kind } = query;
  return new AppError(
    "CONTENT_INVALID",
    `Cannot use ${quote(query.what)} as a ${quote(kind)}: there is no ${
      quote(file)
    } in ${where}${rest}`,
    { hint: hintFor(place, query.kind) },
  );
}

/** Names the directories that would do. */
function hintFor(root: AbsPath, kind: ContentQuery["kind"]): string {
  const found: string[] = [];
  const look = (dir: string, depth: number) => {
    const file = kind === "skill" ? SKILL_FILE : PLUGIN_MANIFEST;
    if (dir !== "" && isFile(join(root, dir, file))) {
      found.push(dir);
      return;
    }
    if (depth === 0) return;
    for (const entry of readDir(join(root, dir)) ?? []) {
      const isOpen = entry.kind === "directory" &&
        !EXCLUDED_NAMES.has(entry.name);
      if (isOpen && found.length < 5) {
        look(dir === "" ? entry.name : `${dir}/${entry.name}`, depth - 1);
      }
    }
  };
  look("", HINT_DEPTH);
  return found.length === 0
    ? "Check source and subpath"
    : `Name the directory: subpath = ${listWords(found.map(quote))}`;
}
