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
    try {
      Deno.removeSync(this.path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
      makeWritable(this.path);
      Deno.removeSync(this.path, { recursive: true });
    }
  }
}

function makeWritable(directory: string): void {
  Deno.chmodSync(directory, 0o700);
  for (const entry of Deno.readDirSync(directory)) {
    if (entry.isDirectory) makeWritable(`${directory}/${entry.name}`);
  }
}
