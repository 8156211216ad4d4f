import { strictEqual } from "node:assert/strict";
import { sha256Hex } from "./hash.ts";

Deno.test("sha256Hex() hashes bytes, and texts as UTF-8", () => {
  const abc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const accented =
    "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c";
  strictEqual(sha256Hex("abc"), abc);
  strictEqual(sha256Hex(new Uint8Array([0x61, 0x62, 0x63])), abc);
  strictEqual(sha256Hex("é"), accented);
});
