/** Which project a slot belongs to. */
import type { Dirs } from "../base/dirs.ts";
import { ensureDir, lstat, rename, writeNew } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { scratchPath } from "../tx/mod.ts";
import type { OpenEnv } from "./types.ts";

/** Makes the slot of a project, with the path of its manifest in it: that is how the project is found from the home. Nothing for a named env. */
export function registerProject(
  env: OpenEnv,
  { host, dirs }: { readonly host: Host; readonly dirs: Dirs },
): void {
  if (env.scope !== "project" || lstat(env.slot.project) !== undefined) return;
  const temp = scratchPath(dirs, host);
  writeNew(temp, env.manifestPath + "\n");
  ensureDir(env.slot.root);
  rename(temp, env.slot.project);
}
