/** Which project a slot belongs to. */
import { type AbsPath, join } from "../base/paths.ts";
import { ensureDir, lstat, rename, tempName, writeNew } from "../os/fs.ts";
import type { OpenEnv } from "./types.ts";

/** Makes the slot of a project, with the path of its manifest in it: that is how the project is found from the home. Nothing for a named env. */
export function registerProject(env: OpenEnv): void {
  if (env.scope !== "project" || lstat(env.slot.project) !== undefined) return;
  ensureDir(env.slot.root);
  const temp: AbsPath = join(env.slot.root, tempName());
  writeNew(temp, env.manifestPath + "\n");
  rename(temp, env.slot.project);
}
