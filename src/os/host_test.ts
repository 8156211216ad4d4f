import { strictEqual, throws } from "node:assert/strict";
import { run } from "../../tests/support/process.ts";
import { TempDir } from "../../tests/support/temp.ts";
import { hostWith, realHost, writeAll } from "./host.ts";

const HOST = new URL("./host.ts", import.meta.url).href;
const TERMINAL = new URL("./terminal.ts", import.meta.url).href;
const ROOT = decodeURIComponent(new URL("../..", import.meta.url).pathname);
const posix = { ignore: Deno.build.os === "windows" };

/** Runs `script` with Deno under `sh -c wrapper`, where `"$@"` is the command. */
async function underShell(wrapper: string, script: string, cwd = ROOT) {
  const config = `--config=${ROOT}deno.json`;
  const deno = [Deno.execPath(), "run", "-A", config, "--ext=ts", "-"];
  return await run("/bin/sh", ["-c", wrapper, "sh", ...deno], {
    cwd,
    env: Deno.env.toObject(),
    stdin: script,
  });
}

Deno.test("hostWith() finds HOME in the environment it is given, not in ours", () => {
  strictEqual(
    hostWith({ env: { HOME: "/a//b/" }, os: "linux" }).home(),
    "/a/b",
  );
});

Deno.test("hostWith() refuses a home that is unset, empty or relative", () => {
  for (const env of [{}, { HOME: "" }]) {
    throws(() => hostWith({ env, os: "linux" }).home(), {
      code: "HOME_UNSET",
      message: "Cannot find your home directory: HOME is not set",
    });
  }
  throws(() => hostWith({ env: { HOME: "home" }, os: "linux" }).home(), {
    code: "PATH_INVALID",
  });
});

Deno.test("hostWith() uses USERPROFILE on Windows", () => {
  throws(() => hostWith({ env: { HOME: "/a" }, os: "windows" }).home(), {
    message: /USERPROFILE is not set/,
  });
});

Deno.test("hostWith() lets each part be replaced", () => {
  const host = hostWith({ env: {}, pid: 1, args: ["x"] });
  strictEqual(host.pid, 1);
  strictEqual(host.args[0], "x");
});

Deno.test("realHost() is this process", () => {
  const host = realHost();
  strictEqual(host.pid, Deno.pid);
  strictEqual(host.cwd(), Deno.cwd());
  strictEqual(host.env["PATH"], Deno.env.get("PATH"));
});

Deno.test("cwd() says that the current directory is gone", posix, async () => {
  using temp = new TempDir();
  const script = `import { realHost } from ${JSON.stringify(HOST)};
Deno.mkdirSync("gone"); Deno.chdir("gone"); Deno.removeSync(Deno.cwd());
try { realHost().cwd(); } catch (error) { console.log(error.code); }`;
  const { stdout } = await underShell('exec "$@"', script, temp.path);
  strictEqual(stdout, "CWD_GONE\n");
});

Deno.test("writeAll() writes on when only a part was taken", () => {
  const chunks: string[] = [];
  const stream = {
    writeSync(data: Uint8Array): number {
      chunks.push(new TextDecoder().decode(data.subarray(0, 3)));
      return Math.min(3, data.length);
    },
  };
  writeAll(stream, "abcdefgh");
  strictEqual(chunks.join("|"), "abc|def|gh");
});

Deno.test(
  "writeOut() ends quietly when the reader went away",
  posix,
  async () => {
    const script = `import { writeOut } from ${JSON.stringify(TERMINAL)};
writeOut("x".repeat(1_000_000) + "\\n"); writeOut("more\\n");`;
    const wrapper = '{ "$@"; echo "code $?" >&2; } | head -c 1';
    const { stdout, stderr } = await underShell(wrapper, script);
    strictEqual(stdout, "x");
    strictEqual(stderr, "code 0\n");
  },
);
