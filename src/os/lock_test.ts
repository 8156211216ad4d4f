import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { isAlive, LifeSign, withLock } from "./lock.ts";

const LOCK = new URL("./lock.ts", import.meta.url).href;
const ROOT = decodeURIComponent(new URL("../..", import.meta.url).pathname);

/** Holds the lock from the first byte it prints until its standard input ends. */
const HOLDER = `
import { withLock } from ${JSON.stringify(LOCK)};
await withLock(Deno.args[0], async () => {
  Deno.stdout.writeSync(new TextEncoder().encode("held"));
  await Deno.stdin.read(new Uint8Array(1));
});
`;

/** Adds 1 to the number in a file, reading and writing apart, 20 times. */
const COUNTER = `
import { withLock } from ${JSON.stringify(LOCK)};
const [lock, file] = Deno.args;
for (let i = 0; i < 20; i++) {
  await withLock(lock, async () => {
    const value = Number(Deno.readTextFileSync(file));
    await new Promise((resolve) => setTimeout(resolve, 0));
    Deno.writeTextFileSync(file, String(value + 1));
  });
}
`;

/** Shows a life sign from the first byte it prints until its standard input ends. */
const LIVING = `
import { LifeSign } from ${JSON.stringify(LOCK)};
using sign = new LifeSign(Deno.args[0]);
sign.say("here");
Deno.stdout.writeSync(new TextEncoder().encode("held"));
await Deno.stdin.read(new Uint8Array(1));
`;

function spawn(script: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", script, ...args],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** A process that holds the lock by the time this returns. */
async function holder(
  lock: string,
  script = HOLDER,
): Promise<Deno.ChildProcess> {
  const child = spawn(script, [lock]);
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  strictEqual(new TextDecoder().decode(value), "held");
  await reader.cancel();
  return child;
}

Deno.test("withLock() gives up when another process holds the lock, and gets it when that one lets go", async () => {
  using temp = new TempDir();
  const lock = join(temp.path as AbsPath, "sub", ".lock");
  const child = await holder(lock);
  let waits = 0;
  const options = { timeout: 100, onWait: () => void waits++ };
  await rejects(() => withLock(lock, () => 1, options), {
    code: "LOCK_TIMEOUT",
    message: `Cannot lock "${lock}": another aenv process holds it`,
  });
  strictEqual(waits, 1);
  await child.stdin.close();
  strictEqual(await withLock(lock, () => "mine"), "mine");
  strictEqual((await child.status).code, 0);
});

Deno.test("withLock() waits for the holder to end", async () => {
  using temp = new TempDir();
  const lock = join(temp.path as AbsPath, ".lock");
  const child = await holder(lock);
  const order: string[] = [];
  const waiting = withLock(lock, () => void order.push("work"), {
    onWait: () => {
      order.push("wait");
      void child.stdin.close();
    },
  });
  await waiting;
  deepStrictEqual(order, ["wait", "work"]);
  await child.status;
});

Deno.test("withLock() gets the lock of a process that was killed", async () => {
  using temp = new TempDir();
  const lock = join(temp.path as AbsPath, ".lock");
  const child = await holder(lock);
  child.kill("SIGKILL");
  await child.status;
  strictEqual(await withLock(lock, () => 1, { timeout: 2000 }), 1);
  await child.stdin.close().catch(() => undefined);
});

Deno.test("withLock() lets go when the work fails", async () => {
  using temp = new TempDir();
  const lock = join(temp.path as AbsPath, ".lock");
  const failing = () =>
    withLock(lock, () => {
      throw new RangeError("work");
    });
  await rejects(failing, RangeError);
  strictEqual(await withLock(lock, () => 1, { timeout: 100 }), 1);
});

Deno.test("withLock() lets one of several processes work at a time", async () => {
  using temp = new TempDir();
  const [lock, file] = [".lock", "count"].map((n) => `${temp.path}/${n}`);
  await Deno.writeTextFile(file!, "0");
  const children = [1, 2, 3].map(() => spawn(COUNTER, [lock!, file!]));
  for (const child of children) {
    await child.stdin.close();
    await child.stdout.cancel();
    strictEqual((await child.status).code, 0);
  }
  strictEqual(await Deno.readTextFile(file!), "60");
});

Deno.test("withLock() lets those in who share, and keeps the others out", async () => {
  using temp = new TempDir();
  const lock = join(temp.path as AbsPath, ".lock");
  const soon = { timeout: 60 };
  await withLock(lock, async () => {
    const shared = () => withLock(lock, () => 1, { ...soon, shared: true });
    strictEqual(await shared(), 1);
    await rejects(() => withLock(lock, () => 1, soon), {
      code: "LOCK_TIMEOUT",
    });
  }, { shared: true });
  await withLock(lock, async () => {
    const shared = () => withLock(lock, () => 1, { ...soon, shared: true });
    await rejects(shared, { code: "LOCK_TIMEOUT" });
  });
});

Deno.test("isAlive() sees a process until it is killed, and what it said stays", async () => {
  using temp = new TempDir();
  const path = join(temp.path as AbsPath, "sign");
  strictEqual(isAlive(path), false);
  const child = await holder(path, LIVING);
  strictEqual(isAlive(path), true);
  child.kill("SIGKILL");
  await child.status;
  strictEqual(isAlive(path), false);
  strictEqual(await Deno.readTextFile(path), "here\n");
  await child.stdin.close().catch(() => undefined);
});

Deno.test("LifeSign goes with its file, and never takes one over", () => {
  using temp = new TempDir();
  const path = join(temp.path as AbsPath, "sign");
  {
    using _sign = new LifeSign(path);
    strictEqual(isAlive(path), true);
    throws(() => new LifeSign(path), { code: "IO" });
    strictEqual(isAlive(path), true);
  }
  deepStrictEqual([...Deno.readDirSync(temp.path)], []);
});
