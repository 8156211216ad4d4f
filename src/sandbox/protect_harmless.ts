/** Changes of protected files that are nobody's concern: what tools write in normal work, and what can make nothing run. */
import { type AbsPath, basename, parent } from "../base/paths.ts";
import { utf8Text } from "../base/text.ts";
import { sha256Hex } from "../os/hash.ts";
import { isHarmlessGitChange } from "./git_config.ts";
import { isIn, isUnder } from "./path_text.ts";
import { bytesAt, type Change, type Held, type Watched } from "./protect.ts";
import type { Harmless } from "./types.ts";

/** The contents that a file had, by their hash; undefined when they were not kept. */
export type Recall = (hash: string) => Uint8Array<ArrayBuffer> | undefined;

/** Words that settings have: more could be a text that somebody reads. */
const WORD = /^[\w.:\/@\[\]-]{0,100}$/;

/** Spaces between the parts of a text in JSON, and strings, which stay. */
const SPACES = /("(?:[^"\\]|\\.)*")|\s+/g;

/** The changes that somebody has to look at. */
export function concerning(
  changes: readonly Change[],
  watched: readonly Watched[],
  recall: Recall,
): Change[] {
  const found = changes.filter((change) =>
    isDirectory(change) ||
    !rulesFor(change, watched).every((rule) =>
      rule !== undefined && isAllowed(change, rule, recall)
    )
  );
  // A directory that was made is nothing by itself.
  return found.filter((change) =>
    !isDirectory(change) ||
    found.some((other) =>
      !isDirectory(other) && isUnder(other.path, change.path)
    )
  );
}

function isDirectory({ change, after }: Change): boolean {
  return change === "created" && after?.kind === "directory";
}

/** What each entry that covers the path says of it; all have to let it pass. */
function rulesFor(
  { path, change }: Change,
  watched: readonly Watched[],
): (Harmless | undefined)[] {
  if (change === "nested") return [nestedRule(path)];
  const covering = watched.filter((entry) =>
    entry.tree ? isIn(path, entry.path) : path === entry.path
  );
  return covering.length === 0
    ? [undefined]
    : covering.map(({ harmless }) => harmless);
}

/** Of repositories deeper in the project. */
function nestedRule(path: AbsPath): Harmless | undefined {
  // Files of that name in directories of agents and editors are something else.
  const isConfig = /\/config(?:\.worktree)?$/.test(path) &&
    !/\/\.(?:claude|codex|idea|vscode)\//.test(path);
  return isConfig ? { kind: "git-config" } : undefined;
}

function isAllowed(change: Change, rule: Harmless, recall: Recall): boolean {
  switch (rule.kind) {
    case "git-hooks":
      return isSample(change);
    case "git-config":
      return compareWith(change, recall, isHarmlessGitChange);
    case "json":
      return compareWith(
        change,
        recall,
        (before, after) => isHarmlessJson(before, after, rule.keys),
      );
  }
}

/** Git makes them in every repository, and runs none of them. */
function isSample({ path, before, after }: Change): boolean {
  return basename(path).endsWith(".sample") &&
    basename(parent(path)) === "hooks" &&
    [before, after].every((held) => held === undefined || held.kind === "file");
}

/** What a file held and holds; nothing before it was made. */
function compareWith(
  { path, before, after, change }: Change,
  recall: Recall,
  isHarmless: (before: Uint8Array, after: Uint8Array) => boolean,
): boolean {
  if (change !== "created" && change !== "content" && change !== "nested") {
    return false;
  }
  if (after?.kind !== "file") return false;
  const old = before === undefined
    ? new Uint8Array()
    : contents(before, recall);
  const now = bytesAt(path);
  if (old === undefined || now === undefined) return false;
  // What was compared with the snapshot, and not what has taken its place.
  if (change !== "nested" && sha256Hex(now) !== after.hash) return false;
  return isHarmless(old, now);
}

function contents(held: Held, recall: Recall): Uint8Array | undefined {
  if (held.kind !== "file" || held.hash === undefined) return undefined;
  const bytes = recall(held.hash);
  return bytes !== undefined && sha256Hex(bytes) === held.hash
    ? bytes
    : undefined;
}

function isHarmlessJson(
  before: Uint8Array,
  after: Uint8Array,
  keys: readonly string[],
): boolean {
  const [old, now] = [before, after].map(objectIn);
  if (old === undefined || now === undefined) return false;
  const all = new Set([...old.keys(), ...now.keys()]);
  return [...all].every((key) => {
    const [from, to] = [old, now].map((each) => each.get(key));
    if (JSON.stringify(from) === JSON.stringify(to)) return true;
    return keys.includes(key) && isPlain(to);
  });
}

/** Undefined when it is no object, or one that readers may take for different ones. */
function objectIn(bytes: Uint8Array): Map<string, unknown> | undefined {
  const text = utf8Text(bytes);
  if (text === undefined) return undefined;
  try {
    const value: unknown = text.trim() === "" ? {} : JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return undefined;
    }
    // A key that stands twice is one thing to the first reader and another to the second.
    const isOnce = JSON.stringify(value) === text.replace(SPACES, "$1");
    return isOnce || text.trim() === ""
      ? new Map(Object.entries(value))
      : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

function isPlain(value: unknown): boolean {
  return value === undefined || typeof value === "boolean" ||
    typeof value === "number" ||
    (typeof value === "string" && WORD.test(value));
}
