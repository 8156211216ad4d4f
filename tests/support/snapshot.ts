/** The state of a directory as one text value, to compare before and after. */

import { createHash } from "node:crypto";

/** Path below `root` → kind, mode and content of each file, directory and symlink, `root` included. */
export function snapshot(root: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  record(root, "", found);
  return found;
}

function record(
  root: string,
  below: string,
  found: Record<string, string>,
): void {
  const path = root + below;
  const info = Deno.lstatSync(path);
  const mode = ((info.mode ?? 0) & 0o7777).toString(8);
  if (info.isSymlink) {
    found[below] = `symlink to ${Deno.readLinkSync(path)}`;
  } else if (info.isFile) {
    const hash = createHash("sha256").update(Deno.readFileSync(path));
    found[below] = `file ${mode} ${hash.digest("hex")}`;
  } else {
    found[below] = `directory ${mode}`;
    for (const { name } of Deno.readDirSync(path)) {
      record(root, `${below}/${name}`, found);
    }
  }
}
