/** Claude Code's login on disk. Measured on 2.1.197 and 2.1.329. */
import { type AbsPath, join } from "../../base/paths.ts";
import { isDirectory, lstat } from "../../os/fs.ts";

/** The file in a login directory; the agent replaces it by a rename at every refresh. */
export const CREDENTIALS_FILE = ".credentials.json";
/** The variable that names the directory. */
export const LOGIN_VARIABLE = "CLAUDE_SECURESTORAGE_CONFIG_DIR";

/** Whether the login belongs into `moved`: it is there, or it is nowhere and `moved` was made for it. */
export function holdsLogin(moved: AbsPath, before: AbsPath): boolean {
  if (lstat(join(moved, CREDENTIALS_FILE)) !== undefined) return true;
  // Half way through a move it is still where it was; after a logout it is in neither place.
  return isDirectory(moved) &&
    lstat(join(before, CREDENTIALS_FILE)) === undefined;
}
