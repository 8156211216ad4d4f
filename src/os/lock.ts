/** Advisory locks between our own processes: flock(2) on a file that stays. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { ensureDir, FILE_MODE, removeFile } from "./fs.ts";
import { ifExists, withIo } from "./io_error.ts";

/** How long to wait for a lock. */
export interface LockOptions {
  /** Milliseconds; 30,000 unless given. */
  readonly timeout?: number;
  /** Called once when somebody else holds the lock. */
  readonly onWait?: () => void;
  /** True lets others in who share it too. */
  readonly shared?: boolean;
}

const POLL_MS = 25;

/** Runs `work` while holding the lock `path`, exclusive unless `shared`. Throws `LOCK_TIMEOUT`. Not re-entrant. */
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
  const exclusive = options.shared !== true;
  if (file.tryLockSync(exclusive)) return;
  options.onWait?.();
  while (!file.tryLockSync(exclusive)) {
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

/**
 * Like {@link withLock} for work of microseconds that nothing may come between: blocks this process, for at most `patience`
 * milliseconds. Undefined, and nothing done, when somebody holds the lock for longer: a process that was stopped may.
 */
export function withLockAtOnce<T extends object>(
  path: AbsPath,
  work: () => T,
  { patience }: { readonly patience: number },
): T | undefined {
  using file = withIo("open", path, () => openLock(path));
  const deadline = performance.now() + patience;
  while (!file.tryLockSync(true)) {
    if (performance.now() > deadline) return undefined;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
  return work();
}

/** A file that shows, by the lock on it, whether the process that made it lives, and what that has to say. */
export class LifeSign implements Disposable {
  readonly path: AbsPath;
  readonly #file: Deno.FsFile;

  /** Makes the file, which must not exist. Whoever calls {@link isAlive} in between sees it as dead: keep them out. Throws `IO`. */
  constructor(path: AbsPath) {
    this.path = path;
    this.#file = withIo("make", path, () => {
      const file = Deno.openSync(path, {
        read: true,
        write: true,
        createNew: true,
        mode: FILE_MODE,
      });
      file.lockSync(true);
      return file;
    });
  }

  /** Adds a line. Throws `IO`. */
  say(line: string): void {
    const bytes = new TextEncoder().encode(line + "\n");
    withIo("write", this.path, () => {
      let done = 0;
      while (done < bytes.length) {
        done += this.#file.writeSync(bytes.subarray(done));
      }
    });
  }

  /** Removes the file. */
  [Symbol.dispose](): void {
    removeFile(this.path);
    this.#file.close();
  }
}

/** Whether the process that made this {@link LifeSign} lives. False when there is none. */
export function isAlive(path: AbsPath): boolean {
  return ifExists("open", path, () => {
    using file = Deno.openSync(path, { read: true, write: true });
    return !file.tryLockSync(true);
  }) ?? false;
}
