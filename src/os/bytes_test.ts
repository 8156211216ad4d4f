import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { deflateRawSync, gzipSync } from "node:zlib";
import { TempDir } from "../../tests/support/temp.ts";
import type { AbsPath } from "../base/paths.ts";
import { Digests, FileReader, NewFile } from "./bytes.ts";
import {
  crc32,
  gunzip,
  InflateError,
  inflateRaw,
  inflateRawAtOnce,
} from "./inflate.ts";

const BYTES = Uint8Array.from({ length: 700_000 }, (_, i) => i * 7 % 251);

Deno.test("FileReader gives ranges and blocks, also one within the other", () => {
  using dir = new TempDir();
  const path = `${dir.path}/file`;
  Deno.writeFileSync(path, BYTES);
  using file = new FileReader(path);
  const pieces: number[] = [];
  for (const block of file.blocks()) {
    deepStrictEqual(file.peek(5, 8), BYTES.slice(5, 8));
    for (const byte of block) pieces.push(byte);
  }
  deepStrictEqual(Uint8Array.from(pieces), BYTES);
  deepStrictEqual(file.range(699_998, 700_100), BYTES.slice(699_998));
  deepStrictEqual([...file.blocks(10, 10)], []);
  strictEqual([...file.blocks(1, 300_000)].length > 1, true);
});

Deno.test("NewFile writes a file that was not there, with its mode, and takes it back", () => {
  using dir = new TempDir();
  const path = `${dir.path}/file` as AbsPath;
  const file = new NewFile(path);
  file.write(BYTES.subarray(0, 10));
  file.write(BYTES.subarray(10));
  file.finish(0o755);
  deepStrictEqual(Deno.readFileSync(path), BYTES);
  strictEqual(Deno.statSync(path).mode! & 0o777, 0o755);
  throws(() => new NewFile(path), { code: "IO", message: /exists already/ });
  Deno.symlinkSync(`${dir.path}/target`, `${dir.path}/link`);
  throws(() => new NewFile(`${dir.path}/link` as AbsPath), { code: "IO" });
  NewFile.temporary(dir.path as AbsPath).discard();
  deepStrictEqual([...Deno.readDirSync(dir.path)].length, 2);
});

Deno.test("Digests hashes the same bytes by several algorithms", () => {
  const digests = new Digests(["sha256", "sha1"]);
  digests.update(new TextEncoder().encode("a"));
  digests.update(new TextEncoder().encode("bc"));
  strictEqual(
    digests.digest("sha256", "hex"),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  strictEqual(digests.digest("sha1", "base64"), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
});

Deno.test("gunzip() and inflateRaw() give back what was packed, and stop when nobody reads on", async () => {
  const whole = async (pieces: AsyncIterable<Uint8Array>) => {
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(piece);
    return new Uint8Array(await new Blob(all as BlobPart[]).arrayBuffer());
  };
  deepStrictEqual(await whole(gunzip([gzipSync(BYTES)])), BYTES);
  deepStrictEqual(await whole(inflateRaw([deflateRawSync(BYTES)])), BYTES);
  for await (const piece of gunzip([gzipSync(BYTES)])) {
    strictEqual(piece.length > 0, true);
    break;
  }
  const small = BYTES.subarray(0, 100);
  deepStrictEqual(
    new Uint8Array(inflateRawAtOnce(deflateRawSync(small), 100)),
    small,
  );
  strictEqual(crc32(new TextEncoder().encode("123456789"), 0), 0xcbf43926);
});

Deno.test("gunzip() and inflateRawAtOnce() say when bytes are damaged, missing or too many", async () => {
  const packed = new Uint8Array(gzipSync(BYTES));
  const read = async (bytes: Uint8Array) => {
    for await (const _ of gunzip([bytes]));
  };
  await rejects(read(packed.subarray(0, packed.length / 2)), InflateError);
  await rejects(
    read(packed.map((byte, i) => i === 50 ? ~byte : byte)),
    InflateError,
  );
  throws(() => inflateRawAtOnce(deflateRawSync(BYTES), 10), InflateError);
  throws(() => inflateRawAtOnce(Uint8Array.of(7, 7, 7), 10), InflateError);
});
