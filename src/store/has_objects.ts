/** A quick look at what a store has. */
import { type AbsPath, join } from "../base/paths.ts";
import { lstat } from "../os/fs.ts";
import { OpenDirectory } from "../os/marks.ts";
import type { TreeHash } from "./entries.ts";

/** Whether the store at `root` has all of these trees. They are not proved, and not kept from being collected. Throws `IO`. */
export function hasObjects(
  root: AbsPath,
  hashes: readonly TreeHash[],
): boolean {
  if (hashes.length === 0) return true;
  const objects = join(root, "objects");
  if (lstat(objects)?.kind !== "directory") return false;
  using directory = new OpenDirectory(objects);
  return hashes.every((hash) => {
    const seal = `${hash.slice(0, 2)}/${hash}/seal.json`;
    return directory.markOf(seal)?.kind === "file";
  });
}
