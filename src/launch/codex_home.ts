/** Codex's own directory in an env, made ready for a launch. */
import { codex } from "../agents/mod.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import type { OpenEnv } from "../env/mod.ts";
import { discard } from "../os/discard.ts";
import { ensureDir, lstat, writeAtomic } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { readPrivate, REFUSED } from "../os/private_file.ts";
import type { CodexPlan } from "./types.ts";

/** Longer settings have no meaning for people. */
const MAX_BYTES = 1024 * 1024;

/** The text of Codex's settings. A session may have put anything there: what is no plain file of the user's own is undefined. */
export function readCodexConfig(
  { slot }: OpenEnv,
  { uid }: Host,
): string | undefined {
  try {
    const bytes = readPrivate(join(slot.codex, codex.CONFIG_FILE), {
      uid,
      maxBytes: MAX_BYTES,
      refused: REFUSED.writing,
    });
    return bytes && new TextDecoder().decode(bytes);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return undefined;
  }
}

/** Makes its settings what the plan says, and takes away what it makes anew itself. What a session put in their places is never followed. */
export function prepareCodexHome(
  env: OpenEnv,
  host: Host,
  { config }: CodexPlan,
): void {
  const { codex: dir } = env.slot;
  ensureDir(dir);
  for (const name of codex.REMADE) remove(join(dir, name));
  // Writing takes long: it waits for the disk.
  if (readCodexConfig(env, host) === config) return;
  const path = join(dir, codex.CONFIG_FILE);
  // A file is replaced by the rename; a directory would be in its way.
  if (lstat(path)?.kind === "directory") discard(path);
  writeAtomic(path, config);
}

function remove(path: AbsPath): void {
  if (lstat(path) !== undefined) discard(path);
}
