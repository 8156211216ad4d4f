/**
 * Copies the configuration part of a Claude Code configuration directory, for a new env. By an allow-list: sessions, state and
 * logins stay behind, and so does every path of the old place.
 */
import { claude } from "../../agents/mod.ts";
import { AppError } from "../../base/errors.ts";
import type { AbsPath } from "../../base/paths.ts";
import { readForeignText } from "../../os/foreign_file.ts";
import { lstat, makeDir, readText, realPath } from "../../os/fs.ts";
import { holdsToken } from "./credentials.ts";
import { Rewriter } from "./rewrite.ts";
import {
  COPIED,
  isState,
  PLUGIN_REGISTRIES,
  PLUGIN_TREES,
  SETTINGS_FILE,
} from "./rules.ts";
import { type LeftOut, reduceSettings, reduceState } from "./settings.ts";
import { Tree, type TreeOptions } from "./tree.ts";

/** What to copy and where to. */
export interface CloneOptions {
  /** The configuration directory; may be missing. */
  readonly from: AbsPath;
  /** The agent's state file that goes with it; may be missing. */
  readonly stateFile: AbsPath;
  /** Where the copy is made: must not exist. */
  readonly to: AbsPath;
  /** Where the copy will stand in the end; rewritten paths lead there. */
  readonly place: AbsPath;
  /** For `~` in texts; undefined when there is none. */
  readonly home: AbsPath | undefined;
  readonly uid: number | undefined;
  /** See {@link TreeOptions}. */
  readonly confined?: boolean;
}

/** Largest state file that is read, bytes. */
const MAX_STATE = 64 * 1024 * 1024;

/** Makes the copy and returns what was left out, by name. Throws `IO` when it cannot be written. The source is only read. */
export function cloneConfig(options: CloneOptions): readonly LeftOut[] {
  const { from, to, place, home, uid, confined = false } = options;
  makeDir(to);
  const rewriter = new Rewriter({
    from: [from, realPath(from) ?? from],
    to: place,
    home,
  });
  const tree = new Tree({ from, to, rewriter, uid, confined });
  if (lstat(from) !== undefined) {
    copySettings(tree, rewriter);
    for (const path of COPIED) tree.copy(path, "all");
    for (const path of PLUGIN_REGISTRIES) copyRegistry(tree, path, rewriter);
    for (const path of PLUGIN_TREES) tree.copy(path, "absolute");
  }
  copyState(tree, options, rewriter);
  copyReferences(tree);
  return tree.leftOut;
}

/** Copies parts of a directory by the same rules for files and links; returns what was left out. */
export function copyTree(
  options: TreeOptions,
  paths: readonly string[],
): readonly LeftOut[] {
  const tree = new Tree(options);
  for (const path of paths) tree.copy(path, "all");
  return tree.leftOut;
}

function copySettings(tree: Tree, rewriter: Rewriter): void {
  const settings = readJson(tree, SETTINGS_FILE);
  if (settings === undefined) return;
  const { value, leftOut } = reduceSettings(settings, SETTINGS_FILE);
  for (const { path, why } of leftOut) tree.leave(path, why);
  writeJson(
    tree,
    SETTINGS_FILE,
    mapStrings(value, (text, key) => {
      addReferences(tree, rewriter, text);
      return rewriter.all(text, key === "command" ? "command" : "plain");
    }),
  );
}

function copyRegistry(tree: Tree, path: string, rewriter: Rewriter): void {
  const registry = readJson(tree, path);
  if (registry === undefined) return;
  writeJson(
    tree,
    path,
    mapStrings(registry, (text) => {
      addReferences(tree, rewriter, text);
      // A clone address may hold a password, and the agent needs no more of it than the place.
      return rewriter.absolute(holdsToken(text) ? withoutLogin(text) : text);
    }),
  );
}

function copyState(
  tree: Tree,
  options: CloneOptions,
  rewriter: Rewriter,
): void {
  const state = readState(options);
  if (state === undefined) tree.leave(claude.STATE_FILE, "it cannot be read");
  const { value, leftOut } = reduceState(state ?? {}, claude.STATE_FILE);
  for (const { path, why } of leftOut) tree.leave(path, why);
  writeJson(
    tree,
    claude.STATE_FILE,
    mapStrings(value, (item) => {
      addReferences(tree, rewriter, item);
      return rewriter.all(item);
    }),
  );
}

/** The state file; empty when there is none, undefined when it is not to be had. */
function readState(
  { stateFile, confined }: CloneOptions,
): Record<string, unknown> | undefined {
  try {
    const text = confined
      ? readForeignText(stateFile, { maxBytes: MAX_STATE })
      : readText(stateFile, MAX_STATE);
    return text === undefined ? {} : parseJson(text);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
    return undefined;
  }
}

/** Copies what the copied texts speak of, and what that speaks of in turn. */
function copyReferences(tree: Tree): void {
  // A set yields what is added while it is walked.
  for (const path of tree.references) {
    const parts = path.split(/[/\\]/);
    const isOwn = parts[0] === "plugins" && parts.length < 3 ||
      path === SETTINGS_FILE || path.includes("..") || parts[0] === "";
    if (!isOwn && !isState(path)) {
      tree.copy(parts.join("/"), "all", { limited: true });
    }
  }
}

function addReferences(tree: Tree, rewriter: Rewriter, text: string): void {
  for (const path of rewriter.references(text)) tree.references.add(path);
}

function readJson(
  tree: Tree,
  path: string,
): Record<string, unknown> | undefined {
  const text = tree.readText(path);
  const value = text === undefined ? undefined : parseJson(text);
  if (text !== undefined && value === undefined) {
    tree.leave(path, "it is no JSON object");
  }
  return value;
}

function writeJson(tree: Tree, path: string, value: unknown): void {
  tree.write(path, JSON.stringify(value, undefined, 2) + "\n");
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ""));
    return claude.isRecord(value) ? value : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** `value` with every text in it mapped, keys too; `key` is the name under which a text stands. */
function mapStrings(
  value: unknown,
  map: (text: string, key: string) => string,
  key = "",
): unknown {
  if (typeof value === "string") return map(value, key);
  if (Array.isArray(value)) {
    return value.map((item) => mapStrings(item, map, key));
  }
  if (!claude.isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      map(name, ""),
      mapStrings(item, map, name),
    ]),
  );
}

/** A URL without user and password. */
function withoutLogin(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1");
}
