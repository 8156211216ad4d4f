import { strictEqual, throws } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { syncFileSystem, tryClone, tryLink } from "./links.ts";
import { markOf } from "./marks.ts";

Deno.test("tryLink() gives a second name, or says why not", () => {
  using temp = new TempDir();
  const [a, b] = [`${temp.path}/a`, `${temp.path}/b`];
  Deno.writeTextFileSync(a, "x");
  strictEqual(tryLink(a, b), undefined);
  strictEqual(markOf(a)?.ino, markOf(b)?.ino);
  strictEqual(tryLink(a, b), "EEXIST");
  strictEqual(tryLink(`${temp.path}/none`, `${temp.path}/c`), "ENOENT");
});

Deno.test("tryClone() makes a copy with shared blocks, or says why not and leaves nothing", () => {
  using temp = new TempDir();
  const [a, b] = [`${temp.path}/a`, `${temp.path}/b`];
  Deno.writeTextFileSync(a, "some text");
  const code = tryClone(a, b, 0o400);
  if (code !== undefined) return strictEqual(markOf(b), undefined);
  strictEqual(Deno.readTextFileSync(b), "some text");
  strictEqual(markOf(b)?.mode, 0o400);
});

Deno.test("syncFileSystem() returns, and names a directory that is not there", () => {
  using temp = new TempDir();
  syncFileSystem(temp.path);
  throws(() => syncFileSystem(`${temp.path}/none`), {
    message: /Cannot open .*none": it does not exist$/,
  });
});
