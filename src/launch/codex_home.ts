/** Codex's own directory in an env, made ready for a launch. */
import { codex } from "../agents/mod.ts";
import { join } from "../base/paths.ts";
import type { OpenEnv } from "../env/mod.ts";
import { discard } from "../os/discard.ts";
import { ensureDir, lstat, writeAtomic } from "../os/fs.ts";
import type { CodexPlan } from "./types.ts";

/** Writes its settings anew, and takes away what it makes anew itself. What a session put in their places is never followed. */
export function prepareCodexHome(
  { slot }: OpenEnv,
  { config }: CodexPlan,
): void {
  ensureDir(slot.codex);
  for (const name of codex.REMADE) {
    const path = join(slot.codex, name);
    if (lstat(path) !== undefined) discard(path);
  }
  const path = join(slot.codex, codex.CONFIG_FILE);
  // A file is replaced by the rename; a directory would be in its way.
  if (lstat(path)?.kind === "directory") discard(path);
  writeAtomic(path, config);
}
