/** What lies in a store. */
import { type AbsPath, join } from "../base/paths.ts";
import { markOf } from "../os/marks.ts";
import { readNames } from "../os/names.ts";
import { isTreeHash, type TreeHash } from "./entries.ts";
import type { Store } from "./store.ts";

/** Hashes of all objects, and paths of what is none and lies among them. In order. */
export interface Inventory {
  readonly hashes: readonly TreeHash[];
  readonly strays: readonly AbsPath[];
}

/** Lists the objects of a store. Links are strays. Throws `STORE_CORRUPT`, `IO`. */
export function listObjects(store: Store): Inventory {
  const hashes: TreeHash[] = [];
  const strays: AbsPath[] = [];
  const objects = store.part("objects");
  for (const shard of objects === undefined ? [] : namesIn(objects)) {
    const path = join(objects!, shard);
    if (!/^[0-9a-f]{2}$/.test(shard) || !isRealDirectory(path)) {
      strays.push(path);
      continue;
    }
    for (const name of namesIn(path)) {
      const kind = markOf(join(path, name))?.kind;
      // Collected since it was listed.
      if (kind === undefined) continue;
      const isOurs = isTreeHash(name) && name.startsWith(shard) &&
        kind === "directory";
      if (isOurs) hashes.push(name);
      else strays.push(join(path, name));
    }
  }
  return { hashes, strays };
}

function isRealDirectory(path: AbsPath): boolean {
  return markOf(path)?.kind === "directory";
}

/** Names in a directory, in order. */
export function namesIn(dir: AbsPath): string[] {
  return readNames(dir).map(({ name }) => name).sort();
}

/** Bytes of the files below `path` that have no other name: as many as a removal gives back. */
export function measure(path: AbsPath): number {
  const mark = markOf(path);
  if (mark?.kind === "file") return mark.links === 1 ? mark.size : 0;
  if (mark?.kind !== "directory") return 0;
  return namesThere(path).reduce(
    (sum, { name }) => sum + measure(`${path}/${name}` as AbsPath),
    0,
  );
}

/** Nothing where another collection has removed it meanwhile. */
function namesThere(dir: AbsPath): ReturnType<typeof readNames> {
  try {
    return readNames(dir);
  } catch (error) {
    if (markOf(dir) !== undefined) throw error;
    return [];
  }
}
