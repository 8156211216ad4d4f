/** Moving a file to wherever it belongs. */
import type { AbsPath } from "../base/paths.ts";
import { osCode, withIo } from "./io_error.ts";

/** Moves a file by one rename; false, with nothing done, when `to` is on another file system. Throws `IO`. */
export function moveWithinDevice(from: AbsPath, to: AbsPath): boolean {
  return withIo("move", from, () => {
    try {
      Deno.renameSync(from, to);
      return true;
    } catch (error) {
      if (osCode(error) !== "EXDEV") throw error;
      return false;
    }
  });
}
