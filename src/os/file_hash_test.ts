import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { waitForTick } from "../../tests/support/ticks.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { hashFile, sha256OfParts } from "./file_hash.ts";
import { markOf } from "./marks.ts";

/** What sha256sum(1) says. */
function sha256Of(path: string): string {
  const { stdout } = new Deno.Command("sha256sum", { args: ["-b", path] })
    .outputSync();
  return new TextDecoder().decode(stdout).slice(0, 64);
}

Deno.test("hashFile() agrees with sha256sum(1), from empty files to several blocks", () => {
  using temp = new TempDir();
  for (const size of [0, 1, 1 << 20, (1 << 20) + 1, 3_500_000]) {
    const path = join(temp.path as AbsPath, `${size}`);
    Deno.writeFileSync(path, new Uint8Array(size).map((_, i) => i * i));
    strictEqual(hashFile(path, markOf(path)!), sha256Of(path));
  }
});

Deno.test("hashFile() copies what it hashes, with the mode that it is told", () => {
  using temp = new TempDir();
  const [a, b] = ["a", "b"].map((name) => join(temp.path as AbsPath, name));
  Deno.writeFileSync(a!, new Uint8Array(2_000_000).map((_, i) => i));
  const umask = Deno.umask(0o777);
  try {
    hashFile(a!, markOf(a!)!, { path: b!, mode: 0o500 });
  } finally {
    Deno.umask(umask);
  }
  strictEqual(markOf(b!)?.mode, 0o500);
  deepStrictEqual(Deno.readFileSync(b!), Deno.readFileSync(a!));
});

Deno.test("hashFile() never writes over something", () => {
  using temp = new TempDir();
  const path = join(temp.path as AbsPath, "a");
  const planted = join(temp.path as AbsPath, "planted");
  Deno.writeTextFileSync(path, "x");
  Deno.symlinkSync("target", planted);
  const copy = () => hashFile(path, markOf(path)!, { path: planted, mode: 0 });
  throws(copy, { message: `Cannot write "${planted}": it exists already` });
});

Deno.test("hashFile() sees that it reads something else than was looked at", () => {
  using temp = new TempDir();
  const path = join(temp.path as AbsPath, "a");
  const changes = [
    () => Deno.writeTextFileSync(path, "longer"),
    () => Deno.writeTextFileSync(path, "b"),
    () => Deno.writeTextFileSync(path, ""),
    () => Deno.chmodSync(path, 0o640),
    () => {
      Deno.writeTextFileSync(path + "2", "other");
      Deno.renameSync(path + "2", path);
    },
    () => {
      Deno.removeSync(path);
      Deno.symlinkSync("/etc/passwd", path);
    },
  ];
  for (const change of changes) {
    Deno.writeTextFileSync(path, "other");
    Deno.utimeSync(path, 1, 1);
    const mark = markOf(path)!;
    waitForTick(temp.path);
    change();
    strictEqual(hashFile(path, mark), undefined, change.toString());
  }
});

Deno.test("sha256OfParts() hashes pieces as one", () => {
  const parts = ["a", "", "bc"].map((text) => new TextEncoder().encode(text));
  strictEqual(
    sha256OfParts(parts),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});
