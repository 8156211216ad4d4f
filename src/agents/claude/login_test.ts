import { strictEqual } from "node:assert/strict";
import { TempDir } from "../../../tests/support/temp.ts";
import { type AbsPath, join } from "../../base/paths.ts";
import { userConfig } from "./user_config.ts";

Deno.test("userConfig() finds a login that was moved, wherever a killed move or a logout left it", () => {
  using temp = new TempDir();
  const home = temp.path as AbsPath;
  const ours = join(home, ".aenv");
  const own = join(home, ".claude");
  const moved = join(ours, "login", "claude");
  const found = (env: Record<string, string> = {}) =>
    userConfig(env, home, ours).loginDir;
  Deno.mkdirSync(own);
  Deno.writeTextFileSync(`${own}/.credentials.json`, "{}");
  strictEqual(found(), own);
  // Killed before the file was moved.
  Deno.mkdirSync(moved, { recursive: true });
  strictEqual(found(), own);
  Deno.renameSync(`${own}/.credentials.json`, `${moved}/.credentials.json`);
  strictEqual(found(), moved);
  // What a launch sets says nothing, and what the user sets counts.
  strictEqual(found({ CLAUDE_SECURESTORAGE_CONFIG_DIR: moved }), moved);
  strictEqual(
    found({ CLAUDE_SECURESTORAGE_CONFIG_DIR: "/elsewhere" }),
    "/elsewhere",
  );
  // Two of them, after a kill between two file systems: the moved one is renewed.
  Deno.writeTextFileSync(`${own}/.credentials.json`, "{}");
  strictEqual(found(), moved);
  Deno.removeSync(`${own}/.credentials.json`);
  // Logged out: the next login goes where it belongs.
  Deno.removeSync(`${moved}/.credentials.json`);
  strictEqual(found(), moved);
});
