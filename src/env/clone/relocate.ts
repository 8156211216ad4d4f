/** Which files of an env speak of its own place: they are rewritten when it gets another name. */
import { type AbsPath, join } from "../../base/paths.ts";
import { readForeign } from "../../os/foreign_file.ts";
import { lstat, readDir, readLink } from "../../os/fs.ts";
import type { Rewriter } from "./rewrite.ts";
import { isState } from "./rules.ts";
import { decodeText, MAX_TEXT } from "./tree.ts";

/** A file to rewrite, or a link to lead elsewhere; `path` is relative to the root. */
export type Relocation =
  | {
    readonly kind: "text";
    readonly path: string;
    readonly before: string;
    readonly after: string;
    readonly mode: number;
  }
  | {
    readonly kind: "link";
    readonly path: string;
    readonly before: string;
    readonly after: string;
  };

/** State that is configuration all the same. */
const KEPT = new Set([".claude.json", "settings.local.json"]);

/**
 * What has to change below `root`, without sessions, state and what a launch makes anew. `config` is the name of the agent's
 * configuration directory, `generated` are the names of the directories that are passed over. Reads only.
 */
export function planRelocation(
  root: AbsPath,
  rewriter: Rewriter,
  { config, generated }: { config: string; generated: readonly string[] },
): Relocation[] {
  const found: Relocation[] = [];
  const open = (readDir(root) ?? []).map((entry) => entry.name)
    .filter((name) => !generated.includes(name));
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const inConfig = path.startsWith(config + "/")
      ? path.slice(config.length + 1)
      : undefined;
    const isPassedOver = inConfig !== undefined && !KEPT.has(inConfig) &&
      isState(inConfig);
    if (isPassedOver) continue;
    const kind = lstat(join(root, path))?.kind;
    if (kind === "directory") {
      for (const { name } of readDir(join(root, path)) ?? []) {
        open.push(`${path}/${name}`);
      }
    }
    const change = kind === "file"
      ? textChange(root, path, rewriter)
      : kind === "symlink"
      ? linkChange(root, path, rewriter)
      : undefined;
    if (change) found.push(change);
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function textChange(
  root: AbsPath,
  path: string,
  rewriter: Rewriter,
): Relocation | undefined {
  const info = lstat(join(root, path));
  if (info === undefined || info.size > MAX_TEXT) return undefined;
  const bytes = readForeign(join(root, path), {
    below: root,
    maxBytes: MAX_TEXT,
  });
  const before = bytes && decodeText(bytes);
  if (before === undefined) return undefined;
  const after = rewriter.all(before);
  if (after === before) return undefined;
  return { kind: "text", path, before, after, mode: info.mode };
}

function linkChange(
  root: AbsPath,
  path: string,
  rewriter: Rewriter,
): Relocation | undefined {
  const before = readLink(join(root, path));
  const after = before && rewriter.absolute(before);
  return before === undefined || after === undefined || after === before
    ? undefined
    : { kind: "link", path, before, after };
}
