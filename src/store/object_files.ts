/** Files of an object, given out as copies. */
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { hashFile } from "../os/file_hash.ts";
import { markOf } from "../os/marks.ts";
import { type FileEntry, modeOf } from "./entries.ts";
import type { StoredObject } from "./objects.ts";
import { condemn } from "./open_object.ts";
import type { Store } from "./store.ts";

/** Copies one file, and proves its contents on the way. Throws `STORE_CORRUPT`: then the object has been put aside. */
export function copyObjectFile(
  store: Store,
  object: StoredObject,
  { entry, to }: { readonly entry: FileEntry; readonly to: AbsPath },
): void {
  const from = join(object.tree, entry.path);
  const mark = markOf(from);
  const isCandidate = mark?.kind === "file" && mark.size === entry.size;
  const sha256 = isCandidate
    ? hashFile(from, mark, { path: to, mode: modeOf(entry) })
    : undefined;
  if (sha256 === entry.sha256) return;
  throw condemn(store, object.hash, `${quote(entry.path)} is changed`);
}
