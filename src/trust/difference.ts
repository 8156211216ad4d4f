/** What is not as it was when the user said yes. */
import { escapeControl } from "../base/text.ts";
import type { Item, Shown } from "./types.ts";

/** One thing that differs. */
export interface Difference {
  readonly kind: "added" | "removed" | "changed";
  /** The item, `files of plugin review`, or `aenv.toml`. */
  readonly title: string;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** Compares item by item, then file by file; the manifest's own lines only when nothing else tells what changed in it. */
export function differences(before: Shown, now: Shown): Difference[] {
  const items = itemDifferences(before.items, now.items);
  const manifest = items.length === 0 && before.text !== now.text
    ? textDifference(before.text, now.text)
    : [];
  return [...items, ...manifest, ...fileDifferences(before, now)];
}

/** The differences as lines. */
export function differenceLines(found: readonly Difference[]): string[] {
  return found.flatMap(({ kind, title, removed, added }) => [
    `${kind}: ${title}`,
    ...removed.map((line) => `  - ${line}`),
    ...added.map((line) => `  + ${line}`),
  ]);
}

function itemDifferences(
  before: readonly Item[],
  now: readonly Item[],
): Difference[] {
  const old = new Map(before.map((item) => [item.title, item.lines]));
  const current = new Map(now.map((item) => [item.title, item.lines]));
  return [...new Set([...current.keys(), ...old.keys()])].flatMap((title) =>
    differenceOf(title, old.get(title), current.get(title))
  );
}

function differenceOf(
  title: string,
  before: readonly string[] | undefined,
  now: readonly string[] | undefined,
): Difference[] {
  const removed = linesOnlyIn(before ?? [], now ?? []);
  const added = linesOnlyIn(now ?? [], before ?? []);
  const kind = before === undefined
    ? "added"
    : now === undefined
    ? "removed"
    : "changed";
  const isSame = kind === "changed" && removed.length + added.length === 0 &&
    before!.join("\n") === now!.join("\n");
  return isSame ? [] : [{ kind, title, removed, added }];
}

/** Lines of `one` that `other` has not, each as often as it is missing there. */
function linesOnlyIn(
  one: readonly string[],
  other: readonly string[],
): string[] {
  const left = new Map<string, number>();
  for (const line of other) left.set(line, (left.get(line) ?? 0) + 1);
  return one.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}

function textDifference(before: string, now: string): Difference[] {
  const lines = (text: string) =>
    text.split("\n").map((line) => escapeControl(line));
  return differenceOf("aenv.toml", lines(before), lines(now));
}

function fileDifferences(before: Shown, now: Shown): Difference[] {
  const titles = Object.keys(now.files).filter((title) =>
    Object.hasOwn(before.files, title)
  );
  return titles.flatMap((title) => {
    const [old, current] = [before.files[title]!, now.files[title]!];
    const paths = new Set([...Object.keys(old), ...Object.keys(current)]);
    const differing = [...paths].sort().filter((path) =>
      old[path] !== current[path]
    );
    if (differing.length === 0) return [];
    return [{
      kind: "changed" as const,
      title: `files of ${title}`,
      removed: fileLines(old, differing),
      added: fileLines(current, differing),
    }];
  });
}

/** Those of `paths` that are in a tree, each with what it is. */
function fileLines(
  tree: Readonly<Record<string, string>>,
  paths: readonly string[],
): string[] {
  return paths.filter((path) => Object.hasOwn(tree, path)).map((path) => {
    const short = tree[path]!.replace(/\b([0-9a-f]{12})[0-9a-f]{52}$/, "$1");
    return escapeControl(`${path}: ${short}`);
  });
}
