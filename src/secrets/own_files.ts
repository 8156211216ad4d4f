/** Writing the small files of this module: what a kill leaves half done lies in one directory, and goes with the next change. */
import type { Dirs } from "../base/dirs.ts";
import { type AbsPath, join, parent } from "../base/paths.ts";
import {
  ensureDir,
  readDir,
  removeFile,
  rename,
  syncDir,
  tempName,
  writeSynced,
} from "../os/fs.ts";

const TEMP = ".tmp-";

/** Replaces a file of the home in one step, mode 0600. A temporary file is never beside it: others write there too. */
export function placeFile(
  path: AbsPath,
  text: string,
  { secrets }: Pick<Dirs, "secrets">,
): void {
  ensureDir(secrets);
  const temp = join(secrets, tempName());
  try {
    writeSynced(temp, text);
    rename(temp, path);
  } catch (error) {
    removeFile(temp);
    throw error;
  }
  syncDir(parent(path));
}

/** Removes what killed processes left in a directory of this module. Call it with the home's lock held: nobody writes then. */
export function sweepTemporary(dir: AbsPath): void {
  for (const { name } of readDir(dir) ?? []) {
    if (name.startsWith(TEMP)) removeFile(join(dir, name));
  }
}
