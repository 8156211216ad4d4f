/** The agent's own locks: a directory that is made by whoever holds it, and touched while it is held (proper-lockfile). */
import { AppError } from "../../base/errors.ts";
import { type AbsPath, join } from "../../base/paths.ts";
import { quote } from "../../base/text.ts";
import { epochMs } from "../../os/clock.ts";
import { lstat, makeDir, removeTree } from "../../os/fs.ts";
import { sleep } from "../../os/process.ts";

/** A lock of the agent. */
export interface AgentLock {
  readonly path: AbsPath;
  /** After this time without a touch its holder is dead, milliseconds. */
  readonly stale: number;
}

const WAIT = 50;
/** Longest wait for a live holder, milliseconds: a refresh takes seconds. */
const TIMEOUT = 30_000;

/** The locks that the agent takes while it renews the login in `dir`, in its order. */
export function loginLocks(dir: AbsPath): AgentLock[] {
  return [
    { path: join(dir, ".oauth_refresh.lock"), stale: 60_000 },
    { path: `${dir}.lock` as AbsPath, stale: 10_000 },
    { path: join(dir, ".storage-write.lock"), stale: 10_000 },
  ];
}

/** Runs `work` with all of these locks held, for a moment: nobody touches them meanwhile. Throws `LOCK_TIMEOUT`, `IO`. */
export async function withAgentLocks<T>(
  locks: readonly AgentLock[],
  work: () => T | Promise<T>,
): Promise<T> {
  const [first, ...rest] = locks;
  if (first === undefined) return await work();
  await acquire(first);
  try {
    return await withAgentLocks(rest, work);
  } finally {
    removeTree(first.path);
  }
}

async function acquire({ path, stale }: AgentLock): Promise<void> {
  for (let waited = 0; !makeDir(path, { mayExist: true }); waited += WAIT) {
    const touched = lstat(path)?.mtime;
    if (touched !== undefined && epochMs() - touched > stale) removeTree(path);
    else if (waited > TIMEOUT) {
      throw new AppError(
        "LOCK_TIMEOUT",
        `Cannot lock ${quote(path)}: Claude Code holds it`,
        { hint: "Quit it, and try again" },
      );
    } else await sleep(WAIT);
  }
}
