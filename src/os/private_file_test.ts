import { match, ok, strictEqual, throws } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { readPrivate, REFUSED } from "./private_file.ts";

/** Replaces the file again and again, as a process that keeps something does. */
const WRITER = `
const path = Deno.args[0];
for (let i = 0;; i++) {
  Deno.writeTextFileSync(path + ".new", "text", { mode: 0o600 });
  Deno.renameSync(path + ".new", path);
  if (i === 0) Deno.stdout.writeSync(new Uint8Array(1));
}
`;

const OPTIONS = {
  uid: Deno.build.os === "windows" ? undefined : Deno.uid()!,
  maxBytes: 100,
  refused: REFUSED.all,
};

function read(path: string): string | undefined {
  const bytes = readPrivate(path, OPTIONS);
  return bytes && new TextDecoder().decode(bytes);
}

Deno.test("readPrivate() reads a file that another process replaces meanwhile", async () => {
  using temp = new TempDir();
  const path = `${temp.path}/file`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", WRITER, path],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  for (let i = 0; i < 3000; i++) strictEqual(read(path), "text");
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
});

Deno.test("readPrivate() reads no link, nothing too large, and nothing that others may use", () => {
  using temp = new TempDir();
  const path = `${temp.path}/file`;
  strictEqual(read(path), undefined);
  Deno.writeTextFileSync(path, "text", { mode: 0o600 });
  strictEqual(read(path), "text");
  Deno.symlinkSync(path, `${temp.path}/link`);
  throws(() => read(`${temp.path}/link`), /it is not a regular file/);
  Deno.writeTextFileSync(path, "x".repeat(101));
  throws(() => read(path), /it has more than 100 bytes/);
  if (Deno.build.os === "windows") return;
  Deno.chmodSync(path, 0o640);
  throws(() => read(path), (error) => {
    ok(error instanceof Error);
    match(error.message, /others may use it$/);
    return true;
  });
});
