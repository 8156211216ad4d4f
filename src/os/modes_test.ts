import { deepStrictEqual } from "node:assert/strict";
import { run } from "../../tests/support/process.ts";
import { TempDir } from "../../tests/support/temp.ts";

const FS = new URL("./fs.ts", import.meta.url).href;
const LOCK = new URL("./lock.ts", import.meta.url).href;
const ROOT = decodeURIComponent(new URL("../..", import.meta.url).pathname);

const SCRIPT = `
import * as fs from ${JSON.stringify(FS)};
import { withLock } from ${JSON.stringify(LOCK)};
const [dir] = Deno.args;
fs.ensureDir(dir + "/a/b/c");
fs.makeDir(dir + "/d");
fs.writeNew(dir + "/d/new", "x");
fs.writeNew(dir + "/d/program", "x", 0o700);
fs.writeAtomic(dir + "/d/atomic", "x");
fs.writeAtomic(dir + "/d/atomic", "y");
fs.copyFile("/etc/passwd", dir + "/d/copy");
await withLock(dir + "/locks/.lock", () => {});
`;

const EXPECTED = {
  "a": 0o700,
  "a/b": 0o700,
  "a/b/c": 0o700,
  "d": 0o700,
  "d/atomic": 0o600,
  "d/copy": 0o600,
  "d/new": 0o600,
  "d/program": 0o700,
  "locks": 0o700,
  "locks/.lock": 0o600,
};

/** Path below `dir` → permission bits, for everything there. */
function modesBelow(dir: string, prefix = ""): Record<string, number> {
  const out: Record<string, number> = {};
  for (const entry of Deno.readDirSync(dir)) {
    const path = `${dir}/${entry.name}`;
    out[prefix + entry.name] = (Deno.lstatSync(path).mode ?? 0) & 0o7777;
    if (entry.isDirectory) {
      Object.assign(out, modesBelow(path, `${prefix}${entry.name}/`));
    }
  }
  return out;
}

// The umask belongs to the whole process: each is tried in a child of its own.
for (const umask of ["000", "022", "077", "0177"]) {
  Deno.test({
    name: `files are 0600 and directories 0700 under umask ${umask}`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      using temp = new TempDir();
      const script = `umask ${umask}; exec "$0" eval --ext=ts "$1" "$2"`;
      const args = ["-c", script, Deno.execPath(), SCRIPT, temp.path];
      const { code, stderr } = await run("/bin/sh", args, {
        cwd: ROOT,
        env: Deno.env.toObject(),
      });
      deepStrictEqual({ code, stderr }, { code: 0, stderr: "" });
      deepStrictEqual(modesBelow(temp.path), EXPECTED);
    },
  });
}
