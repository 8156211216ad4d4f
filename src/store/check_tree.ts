/** The check before a launch: does a placed tree still hold what it should? */
import type { Difference, Placement } from "./entries.ts";
import { readObject } from "./objects.ts";
import { isAsRecorded } from "./placed.ts";
import type { Store } from "./store.ts";

/**
 * What at `target` is not as in the tree `hash`, by path; nothing when all is right. What looks as it did is not read: a
 * write, a replacement and a change of mode all change a time that no process can set. What looks different is compared
 * by contents, and if it is right after all that is remembered. Changes nothing else. Throws `STORE_CORRUPT`, `IO`.
 */
export async function checkTree(
  store: Store,
  { hash, target }: Placement,
): Promise<Difference[]> {
  const dir = store.part("objects", hash.slice(0, 2), hash);
  if (dir !== undefined && isAsRecorded(dir, target)) return [];
  const object = readObject(store, hash);
  if (object === undefined) {
    const { compareUnknown } = await import("./recheck.ts");
    return compareUnknown({ hash, target });
  }
  const { recheck } = await import("./recheck.ts");
  return await recheck(store, { object, target });
}
