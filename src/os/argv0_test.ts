import { strictEqual } from "node:assert/strict";
import { run } from "../../tests/support/process.ts";

const ARGV0 = new URL("./argv0.ts", import.meta.url).href;
const ROOT = decodeURIComponent(new URL("../..", import.meta.url).pathname);
const SCRIPT = `import { calledAs } from ${JSON.stringify(ARGV0)};
console.log(calledAs());`;

Deno.test({
  name: "calledAs() is the last part of the name that the caller gave",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const cases: readonly (readonly [string, string])[] = [
      ["claude", "claude"],
      ["/opt/a b/claude", "claude"],
      ["./claude.exe", "claude"],
      ["aenv", "aenv"],
    ];
    for (const [given, expected] of cases) {
      const script = 'exec -a "$1" "$2" eval --ext=ts "$3"';
      const args = ["-c", script, "-", given, Deno.execPath(), SCRIPT];
      const { stdout } = await run("/bin/bash", args, {
        cwd: ROOT,
        env: Deno.env.toObject(),
      });
      strictEqual(stdout, expected + "\n");
    }
  },
});
