/** How much a store holds. */
import type { AbsPath } from "../base/paths.ts";
import { markOf } from "../os/marks.ts";
import { readNames } from "../os/names.ts";
import { listObjects } from "./inventory.ts";
import { poolDir } from "./pool.ts";
import { join } from "../base/paths.ts";
import type { Store } from "./store.ts";

/** Sizes in bytes of files. */
export interface StoreSize {
  readonly objects: number;
  /** Trees and seals. */
  readonly bytes: number;
  /** Copies that environments link to. */
  readonly sharedBytes: number;
  /** Damaged objects that were put aside; the next collection removes them. */
  readonly quarantinedBytes: number;
  /** What processes are working on, or have left behind. */
  readonly temporaryBytes: number;
}

/** Measures a store. Throws `STORE_CORRUPT`, `IO`. */
export function storeSize(store: Store): StoreSize {
  const { hashes } = listObjects(store);
  let bytes = 0;
  let sharedBytes = 0;
  for (const hash of hashes) {
    const dir = store.objectDir(hash);
    const shared = bytesIn(poolDir(dir));
    sharedBytes += shared;
    bytes += bytesIn(dir) - shared;
  }
  return {
    objects: hashes.length,
    bytes,
    sharedBytes,
    quarantinedBytes: bytesIn(join(store.root, "quarantine")),
    temporaryBytes: bytesIn(join(store.root, "tmp")),
  };
}

function bytesIn(path: AbsPath): number {
  const mark = markOf(path);
  if (mark?.kind === "file") return mark.size;
  if (mark?.kind !== "directory") return 0;
  return readNames(path).reduce(
    (sum, { name }) => sum + bytesIn(`${path}/${name}` as AbsPath),
    0,
  );
}
