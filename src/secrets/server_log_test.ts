import { ok, strictEqual } from "node:assert/strict";
import type { AbsPath } from "../base/paths.ts";
import { LogInput, MAX_LOG_BYTES, ServerLog } from "./server_log.ts";
import { SecretValue } from "./value.ts";

const VALUE = "the-hidden-value";

function inLog(work: (log: ServerLog) => void): string {
  const path = `${Deno.makeTempDirSync()}/log` as AbsPath;
  {
    using log = new ServerLog(path);
    work(log);
  }
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "(none)";
  }
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("ServerLog masks a value however it comes in pieces", () => {
  new SecretValue(VALUE);
  const text = `ä: ${VALUE}!\nlast ${VALUE}`;
  for (const size of [1, 2, 3, 7, 1000]) {
    const seen = inLog((log) => {
      const input = new LogInput(log);
      const all = bytes(text);
      for (let at = 0; at < all.length; at += size) {
        input.add(all.slice(at, at + size));
      }
      input.end();
    });
    strictEqual(seen, "ä: [redacted]!\nlast [redacted]\n", `${size}`);
  }
});

Deno.test("ServerLog leaves a line out that is too long to be searched as a whole", () => {
  new SecretValue(VALUE);
  const seen = inLog((log) => {
    const input = new LogInput(log);
    input.add(bytes("x".repeat(65_530)));
    input.add(bytes(VALUE + "\nnext\n"));
    input.end();
  });
  strictEqual(seen, "[a long line]\nnext\n");
});

Deno.test("ServerLog keeps so much and no more, and says so", () => {
  const seen = inLog((log) => {
    const line = bytes("y".repeat(999) + "\n");
    const input = new LogInput(log);
    for (let i = 0; i < 2000; i++) input.add(line);
    input.end();
  });
  ok(seen.length <= MAX_LOG_BYTES + 100);
  ok(seen.endsWith("y\n[the log is full]\n"));
});

Deno.test("ServerLog makes no file for nothing, and a file that is in the way ends nothing", () => {
  strictEqual(inLog((log) => new LogInput(log).end()), "(none)");
  const path = `${Deno.makeTempDirSync()}/log` as AbsPath;
  Deno.writeTextFileSync(path, "mine");
  using log = new ServerLog(path);
  log.add("x");
  strictEqual(Deno.readTextFileSync(path), "mine");
});
