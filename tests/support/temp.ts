/** Directories that vanish with the test that made them. */

/** A new directory below the system's temporary one, symlinks resolved. Use with `using`. */
export class TempDir implements Disposable {
  readonly path: string;

  constructor(prefix = "aenv-test-") {
    // Agents report real paths; on macOS the temporary directory is a symlink.
    this.path = Deno.realPathSync(Deno.makeTempDirSync({ prefix }));
  }

  /** Removes the directory and all below it, read-only parts as well. */
  [Symbol.dispose](): void {
    if (Deno.env.get("AENV_KEEP_TEMP")) return;
    const deadline = Date.now() + PATIENCE_MS;
    while (!remove(this.path, { isLast: Date.now() > deadline }));
  }
}

/** How long something may go on writing: what ends a confined session outlives it by a moment. */
const PATIENCE_MS = 10_000;

/** Whether it is gone; false while something is written there, unless this is the last attempt. */
function remove(path: string, { isLast }: { readonly isLast: boolean }) {
  try {
    Deno.removeSync(path, { recursive: true });
    return true;
  } catch (error) {
    if (isLast || !(error instanceof Error)) throw error;
    if (error instanceof Deno.errors.PermissionDenied) makeWritable(path);
    else if (!("code" in error && error.code === "ENOTEMPTY")) throw error;
    return false;
  }
}

function makeWritable(directory: string): void {
  Deno.chmodSync(directory, 0o700);
  for (const entry of Deno.readDirSync(directory)) {
    if (entry.isDirectory) makeWritable(`${directory}/${entry.name}`);
  }
}
