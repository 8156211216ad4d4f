/** The Deno that runs the tests, where any user can execute it. */

let copy: string | undefined;

/** Path of a copy that lies in no closed directory, as that of a package manager below a home does. It goes with this process. */
export function denoForAll(): string {
  copy ??= makeCopy();
  return copy;
}

function makeCopy(): string {
  const dir = Deno.makeTempDirSync({ prefix: "aenv-deno-" });
  addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
  Deno.chmodSync(dir, 0o755);
  const path = `${dir}/deno`;
  Deno.copyFileSync(Deno.execPath(), path);
  Deno.chmodSync(path, 0o755);
  return path;
}
