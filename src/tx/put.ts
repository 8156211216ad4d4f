/** What is asked of a transaction, checked. */
import { AppError } from "../base/errors.ts";
import type { AbsPath } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { FILE_MODE, lstat } from "../os/fs.ts";
import { fileThing, settlePath, thingAt } from "./things.ts";
import type { Entry, Thing } from "./types.ts";

/** What a file is to be. */
export type Put =
  | {
    readonly path: AbsPath;
    readonly data: string | Uint8Array;
    /** 0600 unless given. */
    readonly mode?: number;
  }
  | { readonly path: AbsPath; readonly link: string }
  | { readonly path: AbsPath; readonly remove: true };

/** `path` without links in what leads to it. Throws `IO` when its directory is not there. */
export function settle(path: AbsPath): AbsPath {
  const settled = settlePath(path);
  if (settled !== undefined) return settled;
  throw new AppError(
    "IO",
    `Cannot change ${quote(path)}: its directory does not exist`,
  );
}

/** Throws `TX_CONFLICT` when something is at `path`. */
export function requireFree(path: AbsPath): void {
  if (lstat(path) === undefined) return;
  throw new AppError(
    "TX_CONFLICT",
    `Cannot make ${quote(path)}: something is there already`,
    { hint: `Look at it and move it away: mv ${path} ${path}.old` },
  );
}

/** What it takes to make a file be so. Throws `PATH_INVALID` when a directory is there. */
export function planPut(
  put: Put,
): { entry: Extract<Entry, { op: "put" }>; bytes: Uint8Array | undefined } {
  const path = settle(put.path);
  const before = thingAt(path);
  if (before.kind === "other") {
    throw new AppError(
      "PATH_INVALID",
      `Cannot write ${quote(path)}: it is no file`,
      { hint: `Look at it and move it away: mv ${path} ${path}.old` },
    );
  }
  const bytes = "data" in put
    ? typeof put.data === "string"
      ? new TextEncoder().encode(put.data)
      : put.data
    : undefined;
  const after: Thing = bytes !== undefined
    ? fileThing(bytes, "mode" in put ? put.mode ?? FILE_MODE : FILE_MODE)
    : "link" in put
    ? { kind: "symlink", target: put.link }
    : { kind: "missing" };
  return { entry: { op: "put", path, before, after }, bytes };
}
