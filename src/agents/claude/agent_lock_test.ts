import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { TempDir } from "../../../tests/support/temp.ts";
import type { AbsPath } from "../../base/paths.ts";
import { loginLocks, withAgentLocks } from "./agent_lock.ts";

function names(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
}

Deno.test("withAgentLocks() holds the locks that the agent takes, and lets them go, also after an error", async () => {
  using temp = new TempDir();
  const dir = `${temp.path}/l` as AbsPath;
  Deno.mkdirSync(dir);
  const locks = loginLocks(dir);
  const held = await withAgentLocks(locks, () => [
    ...names(temp.path),
    ...names(dir),
  ]);
  deepStrictEqual(held, [
    "l",
    "l.lock",
    ".oauth_refresh.lock",
    ".storage-write.lock",
  ]);
  await rejects(
    withAgentLocks(locks, () => Promise.reject(new Error("x"))),
    /x/,
  );
  deepStrictEqual([...names(temp.path), ...names(dir)], ["l"]);
});

Deno.test("withAgentLocks() waits for a live holder", async () => {
  using temp = new TempDir();
  const dir = temp.path as AbsPath;
  const [lock] = loginLocks(dir);
  Deno.mkdirSync(lock!.path, { mode: 0o755 });
  let isFree = false;
  const waiting = withAgentLocks([lock!], () => isFree);
  // The first look was made at once, and found it taken.
  isFree = true;
  Deno.removeSync(lock!.path);
  strictEqual(await waiting, true);
});

Deno.test("withAgentLocks() takes over from the dead: a lock that nobody touches, and one that a killed process of ours left", async () => {
  using temp = new TempDir();
  const dir = temp.path as AbsPath;
  const [lock] = loginLocks(dir);
  Deno.mkdirSync(lock!.path, { mode: 0o755 });
  const long = new Date(Date.now() - lock!.stale - 1000);
  Deno.utimeSync(lock!.path, long, long);
  ok(await withAgentLocks([lock!], () => true));
  Deno.mkdirSync(lock!.path);
  Deno.chmodSync(lock!.path, 0o711);
  ok(await withAgentLocks([lock!], () => true));
  deepStrictEqual(names(temp.path), []);
});
