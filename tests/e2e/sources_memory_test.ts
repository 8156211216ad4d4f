/** Unpacking holds a small part of an archive at a time. */

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { repositoryRoot } from "../support/agents.ts";
import { run } from "../support/process.ts";
import { concat, tarHeader } from "../support/sources/tar_bytes.ts";
import { zipOf } from "../support/sources/zip_bytes.ts";
import { TempDir } from "../support/temp.ts";

const MIB = 1024 * 1024;
/** A program that does nothing has about 40 MiB, and 150 is what a command may have. */
const MOST_BYTES = 110 * MIB;
const SCRIPT = `${repositoryRoot()}/tests/support/sources/unpack_once.ts`;

/** A megabyte that compresses to about half. */
function noise(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(MIB);
  for (let at = 0; at < MIB; at += 65536) {
    crypto.getRandomValues(bytes.subarray(at, at + 32768));
  }
  return bytes;
}

/** 300 MB in one file and many. */
const ARCHIVES: Readonly<Record<string, () => Uint8Array<ArrayBuffer>>> = {
  "a.tar.gz": () => {
    const piece = new Uint8Array(gzipSync(noise(), { level: 1 }));
    const large = tarHeader({ name: "large", size: 150 * MIB });
    const small = Array.from({ length: 150 }, (_, i) => [
      new Uint8Array(gzipSync(tarHeader({ name: `s${i}`, size: MIB }))),
      piece,
    ]);
    return concat([
      new Uint8Array(gzipSync(large)),
      ...Array.from({ length: 150 }, () => piece),
      ...small.flat(),
      new Uint8Array(gzipSync(new Uint8Array(1024))),
    ]);
  },
  "a.zip": () => {
    const piece = noise();
    const large = concat(Array.from({ length: 150 }, () => piece));
    const small = Array.from(
      { length: 150 },
      (_, i) => ({ name: `s${i}`, content: piece }),
    );
    return zipOf([{ name: "large", content: large }, ...small]);
  },
};

for (const [name, make] of Object.entries(ARCHIVES)) {
  Deno.test(`unpacking 300 MB of ${name} takes less than 110 MiB more memory than unpacking nothing`, async () => {
    using dir = new TempDir();
    const base = await unpack(dir, name, zipOf([]));
    const most = await unpack(dir, name, make());
    assert.equal([...Deno.readDirSync(`${dir.path}/into`)].length, 151);
    assert.equal(Deno.statSync(`${dir.path}/into/large`).size, 150 * MIB);
    assert.ok(base > 0);
    assert.ok(most - base < MOST_BYTES, `${(most - base) / MIB} MiB`);
  });
}

/** The most memory that the process had. */
async function unpack(
  dir: TempDir,
  name: string,
  bytes: Uint8Array,
): Promise<number> {
  Deno.writeFileSync(`${dir.path}/${name}`, bytes);
  Deno.mkdirSync(`${dir.path}/into`, { recursive: true });
  const done = await run(Deno.execPath(), [
    ...["run", "--allow-all", "--no-check", SCRIPT],
    ...[`${dir.path}/${name}`, `${dir.path}/into`],
  ], { env: Deno.env.toObject(), cwd: repositoryRoot() });
  assert.equal(done.code, 0, done.stderr);
  return Number(done.stdout);
}
