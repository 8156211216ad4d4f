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
  /** Whether only one process of ours at a time takes it: then a mark on it is that of one that was killed. */
  readonly isExclusive?: boolean;
}

/** The mode of a lock that we hold: the agent makes none so. What lies in a lock would keep the agent from breaking it. */
const OUR_MODE = 0o711;

const WAIT = 50;
/** Longest wait for a live holder, milliseconds: a refresh takes seconds, and a dead holder is known after a minute. */
const TIMEOUT = 70_000;

/** The locks that the agent takes while it renews the login in `dir`, in its order. To be taken with our home's lock held. */
export function loginLocks(dir: AbsPath): AgentLock[] {
  const isExclusive = true;
  return [
    { path: join(dir, ".oauth_refresh.lock"), stale: 60_000, isExclusive },
    { path: `${dir}.lock` as AbsPath, stale: 10_000, isExclusive },
    { path: join(dir, ".storage-write.lock"), stale: 10_000, isExclusive },
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

async function acquire(lock: AgentLock): Promise<void> {
  const { path } = lock;
  const options = {
    mayExist: true,
    ...(lock.isExclusive ? { mode: OUR_MODE } : {}),
  };
  for (let waited = 0; !makeDir(path, options); waited += WAIT) {
    if (isDead(lock)) removeTree(path);
    else if (waited > TIMEOUT) {
      throw new AppError(
        "LOCK_TIMEOUT",
        `Cannot lock ${quote(path)}: Claude Code holds it`,
        { hint: "Quit it, and try again" },
      );
    } else await sleep(WAIT);
  }
}

function isDead({ path, stale, isExclusive }: AgentLock): boolean {
  const found = lstat(path);
  if (found === undefined) return false;
  return epochMs() - found.mtime > stale ||
    (isExclusive === true && found.mode === OUR_MODE);
}
