/** Runs code as a user for whom permission bits count, also where the tests run as root. */
import { run } from "./process.ts";

const ROOT = decodeURIComponent(new URL("../..", import.meta.url).pathname);
const NOBODY = "65534";

/**
 * Runs a TypeScript text as another user than root and returns what it printed. `directory` becomes that user's own; the
 * text may import files of the repository by their `file:` addresses. Throws, with the output, when it fails.
 */
export async function runUnprivileged(
  script: string,
  directory: string,
  args: readonly string[] = [],
): Promise<string> {
  const words = ["eval", "--no-check", "--ext=ts", script, ...args];
  const isRoot = Deno.uid() === 0;
  if (isRoot) {
    const args = ["-hR", `${NOBODY}:${NOBODY}`, directory];
    new Deno.Command("chown", { args }).outputSync();
  }
  const drop = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
  const [program, start] = isRoot
    ? ["/usr/bin/setpriv", [...drop, Deno.execPath(), ...words]] as const
    : [Deno.execPath(), words] as const;
  const cache = Deno.makeTempDirSync();
  Deno.chmodSync(cache, 0o777);
  try {
    const env = { HOME: cache, DENO_DIR: cache, PATH: "/usr/bin:/bin" };
    const { code, stdout, stderr } = await run(program, start, {
      env: { ...env, DENO_NO_UPDATE_CHECK: "1" },
      cwd: ROOT,
    });
    if (code !== 0) throw new Error(`exit code ${code}: ${stdout}${stderr}`);
    return stdout;
  } finally {
    Deno.removeSync(cache, { recursive: true });
  }
}
