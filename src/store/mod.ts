/** Trees of files by the hash of what they hold: kept once, placed in environments, checked and mended there. */
export { checkTree } from "./check_tree.ts";
export {
  type Collected,
  collectGarbage,
  type CollectOptions,
} from "./collect_garbage.ts";
export {
  type Difference,
  isTreeHash,
  parseTreeHash,
  type Placement,
  type TreeHash,
  type TreeLimits,
} from "./entries.ts";
export { hashPlaced, placedHashes, storedHashes } from "./find_placed.ts";
export {
  type Inserted,
  type InsertOptions,
  insertTree,
} from "./insert_tree.ts";
export {
  type LinkMethod,
  type LinkOptions,
  linkTree,
  repairTree,
} from "./link_tree.ts";
export { hasObjects } from "./has_objects.ts";
export { objectTreeIn } from "./layout.ts";
export { holdTree, treePath } from "./hold_tree.ts";
export { type StoreSize, storeSize } from "./size.ts";
export { openStore, type Store, sweepStore } from "./store.ts";
export { type ScanOptions } from "./scan.ts";
export { hashTree } from "./tree_hash.ts";
export { type Verified, verifyStore } from "./verify.ts";
export { unlinkTree } from "./unlink_tree.ts";
