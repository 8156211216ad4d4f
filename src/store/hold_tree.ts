/** Asking for a tree, and looking into it where it lies. */
import type { AbsPath } from "../base/paths.ts";
import type { TreeHash } from "./entries.ts";
import { missing, readObject } from "./objects.ts";
import type { Store } from "./store.ts";

/** Whether the store has the tree. If so it is kept from being collected as long as the store is open. Throws `STORE_CORRUPT`, `IO`. */
export async function holdTree(store: Store, hash: TreeHash): Promise<boolean> {
  if (store.part("objects") === undefined) return false;
  return await store.claim(hash, () => readObject(store, hash) !== undefined);
}

/** Directory of the tree in the store, to read small files from: what is read there is not proved. Throws `STORE_MISSING`, `STORE_CORRUPT`. */
export function treePath(store: Store, hash: TreeHash): AbsPath {
  const object = readObject(store, hash);
  if (object === undefined) throw missing(hash);
  return object.tree;
}
