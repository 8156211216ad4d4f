/** Deleting what nobody misses. */
import { AppError } from "../base/errors.ts";
import type { AbsPath } from "../base/paths.ts";
import { removeTree } from "./fs.ts";

/** Removes a tree. Returns whether it is gone; what stays is for somebody to try again later. */
export function discard(path: AbsPath): boolean {
  try {
    removeTree(path);
    return true;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "IO") throw error;
    return false;
  }
}
