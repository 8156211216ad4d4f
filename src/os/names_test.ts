import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { readNames } from "./names.ts";

Deno.test("readNames() lists every name with its kind, also one that is not UTF-8", () => {
  using temp = new TempDir();
  Deno.mkdirSync(`${temp.path}/dir`);
  Deno.writeTextFileSync(`${temp.path}/line\nbreak`, "");
  Deno.symlinkSync("dir", `${temp.path}/link`);
  new Deno.Command("sh", {
    args: ["-c", `: > "$(printf 'bad\\377')"`],
    cwd: temp.path,
  }).outputSync();
  const names = readNames(temp.path).sort((a, b) => a.name < b.name ? -1 : 1);
  deepStrictEqual(names, [
    { name: "bad\ufffd", kind: "file", isText: false },
    { name: "dir", kind: "directory", isText: true },
    { name: "line\nbreak", kind: "file", isText: true },
    { name: "link", kind: "symlink", isText: true },
  ]);
});

Deno.test("readNames() lists thousands of names, or stops after one too many", () => {
  using temp = new TempDir();
  for (let i = 0; i < 3000; i++) {
    Deno.writeTextFileSync(`${temp.path}/a-name-of-some-length-${i}`, "");
  }
  strictEqual(new Set(readNames(temp.path).map((e) => e.name)).size, 3000);
  strictEqual(readNames(temp.path, 10).length, 11);
});

Deno.test("readNames() refuses a link to a directory, and what is none", () => {
  using temp = new TempDir();
  Deno.symlinkSync("/", `${temp.path}/link`);
  throws(() => readNames(`${temp.path}/link`), { code: "IO" });
  throws(() => readNames(`${temp.path}/none`), {
    message: `Cannot open "${temp.path}/none": it does not exist`,
  });
});
