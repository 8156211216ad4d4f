/** Where an object lies in a store. */
import { type AbsPath, join } from "../base/paths.ts";
import type { TreeHash } from "./entries.ts";

/** Directory with everything about one object of the store at `root`. */
export function objectDirIn(root: AbsPath, hash: TreeHash): AbsPath {
  return join(root, "objects", hash.slice(0, 2), hash);
}

/** Directory of its tree, to read small files from: whether it is there, and right, is not proved. */
export function objectTreeIn(root: AbsPath, hash: TreeHash): AbsPath {
  return join(objectDirIn(root, hash), "tree");
}
