import { strictEqual, throws } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { sha256Hex, sha256OfFile } from "./hash.ts";

Deno.test("sha256Hex() hashes bytes, and texts as UTF-8", () => {
  const abc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const accented =
    "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c";
  strictEqual(sha256Hex("abc"), abc);
  strictEqual(sha256Hex(new Uint8Array([0x61, 0x62, 0x63])), abc);
  strictEqual(sha256Hex("é"), accented);
});

Deno.test("sha256OfFile() hashes files of any size as sha256Hex() hashes their bytes", () => {
  using temp = new TempDir();
  const path = `${temp.path}/file`;
  for (const size of [0, 1, 1024 * 1024, 2.5 * 1024 * 1024]) {
    const bytes = new Uint8Array(size).map((_, i) => i * 31 + (i >> 8));
    Deno.writeFileSync(path, bytes);
    strictEqual(sha256OfFile(path), sha256Hex(bytes), `${size}`);
  }
  throws(() => sha256OfFile(`${temp.path}/none`), { code: "IO" });
});
