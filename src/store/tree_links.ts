/** Symbolic links of a tree: where they really lead. Pure. */
import { quote } from "../base/text.ts";
import { byteLength, foldCase, MAX_PATH_BYTES } from "../base/tree_names.ts";
import type { TreeEntry } from "./entries.ts";

/** Links that may lie on one way, as in Linux. */
const MAX_HOPS = 40;

/**
 * What is wrong with a link of this tree, in words; undefined when all lead to places inside it. Links on the way are
 * followed, since `..` behind one climbs from where it leads. Case does not count: some file systems follow it there.
 */
export function checkLinks(entries: readonly TreeEntry[]): string | undefined {
  const links = new Map<string, string>();
  for (const entry of entries) {
    if (entry.kind === "symlink") links.set(foldCase(entry.path), entry.target);
  }
  for (const entry of entries) {
    if (entry.kind !== "symlink") continue;
    const problem = targetProblem(entry.target) ?? wayProblem(entry, links);
    if (problem !== undefined) {
      return `the link ${quote(entry.path)} ${problem}`;
    }
  }
  return undefined;
}

function targetProblem(target: string): string | undefined {
  if (target === "") return "leads nowhere";
  if (target.startsWith("/") || /^[A-Za-z]:/.test(target)) {
    return "has an absolute target";
  }
  if (/[\p{Cc}\\\ufffd]/u.test(target) || !target.isWellFormed()) {
    return "has characters in its target that not every system can have";
  }
  return byteLength(target) > MAX_PATH_BYTES
    ? "has too long a target"
    : undefined;
}

function wayProblem(
  { path, target }: { readonly path: string; readonly target: string },
  links: ReadonlyMap<string, string>,
): string | undefined {
  const at = foldCase(path).split("/").slice(0, -1);
  const rest = foldCase(target).split("/").reverse();
  let hops = 0;
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.pop() === undefined) return "leads out of it";
      continue;
    }
    at.push(part);
    const next = links.get(at.join("/"));
    if (next === undefined) continue;
    if (++hops > MAX_HOPS) return "leads in a circle";
    at.pop();
    rest.push(...foldCase(next).split("/").reverse());
  }
  return undefined;
}
