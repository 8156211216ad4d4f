/** The last steps of making a tree. */
import { type AbsPath, join } from "../base/paths.ts";
import { chmod } from "../os/fs.ts";
import { markOf, OpenDirectory } from "../os/marks.ts";
import { MODES, type TreeEntry } from "./entries.ts";
import { Marks } from "./marks.ts";

/** Takes the right to write from all directories of a tree; from the root as well unless it has still to be moved. */
export function closeDirectories(
  root: AbsPath,
  entries: readonly TreeEntry[],
  options: { readonly keepRoot?: boolean } = {},
): void {
  for (const { kind, path } of entries) {
    if (kind === "directory") chmod(join(root, path), MODES.directory);
  }
  if (!options.keepRoot) chmod(root, MODES.directory);
}

/** Marks of the root and all entries, or of those that are asked for. After the clock has moved on. */
export function markAll(
  root: AbsPath,
  entries: readonly TreeEntry[],
  isWanted: (entry: TreeEntry) => boolean = () => true,
): Marks {
  const marks = Marks.none(entries.length);
  const mark = markOf(root);
  if (mark !== undefined) marks.set(0, mark);
  using directory = new OpenDirectory(root);
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    const mark = isWanted(entry) ? directory.markOf(entry.path) : undefined;
    if (mark !== undefined) marks.set(i + 1, mark);
  }
  return marks;
}
