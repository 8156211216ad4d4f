/** Copies a directory of the user's through the guard. */
import { type AbsPath, join } from "../../base/paths.ts";
import { copyFile, isExecutable, makeDir, symlink } from "../../os/fs.ts";
import type { Limits } from "../source.ts";
import { listTree } from "./check_tree.ts";

/** Copies what is not left out from `source` into the empty directory `target`. Throws `SOURCE_REFUSED`, `IO`. */
export function copyTree(
  source: AbsPath,
  target: AbsPath,
  options: { readonly what: string; readonly limits: Limits },
): void {
  for (const { path, kind, target: leadsTo } of listTree(source, options)) {
    const to = join(target, path);
    if (kind === "directory") makeDir(to);
    else if (kind === "symlink") symlink(to, leadsTo ?? "");
    else {
      const from = join(source, path);
      copyFile(from, to, isExecutable(from) ? 0o755 : 0o644);
    }
  }
}
