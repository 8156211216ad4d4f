/** Advisory locks between our own processes: flock(2) on a file that stays. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { ensureDir, FILE_MODE } from "./fs.ts";
import { withIo } from "./io_error.ts";

/** How long to wait for a lock. */
export interface LockOptions {
  /** Milliseconds; 30,000 unless given. */
  readonly timeout?: number;
  /** Called once when somebody else holds the lock. */
  readonly onWait?: () => void;
}

const POLL_MS = 25;

/** Runs `work` while holding the exclusive lock `path`. Throws `LOCK_TIMEOUT`. Not re-entrant. */
export async function withLock<T>(
  path: AbsPath,
  work: () => T | Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  ensureDir(join(path, ".."));
  const file = withIo("open", path, () => openLock(path));
  try {
    await acquire(file, path, options);
    return await work();
  } finally {
    // Closing releases the lock; the file stays, since removing it would let two holders in.
    file.close();
  }
}

function openLock(path: AbsPath): Deno.FsFile {
  return Deno.openSync(path, {
    read: true,
    write: true,
    create: true,
    mode: FILE_MODE,
  });
}

async function acquire(
  file: Deno.FsFile,
  path: AbsPath,
  options: LockOptions,
): Promise<void> {
  const deadline = performance.now() + (options.timeout ?? 30_000);
  if (file.tryLockSync(true)) return;
  options.onWait?.();
  while (!file.tryLockSync(true)) {
    if (performance.now() > deadline) {
      throw new AppError(
        "LOCK_TIMEOUT",
        `Cannot lock ${quote(path)}: another aenv process holds it`,
        {
          hint: "Wait for it to end, or look for it: ps aux | grep aenv",
        },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
