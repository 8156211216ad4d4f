/** Archives made to do harm: each is refused by name, nothing is written outside, nothing is left behind. */

import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { SourceWorld } from "../../../tests/support/sources/context.ts";
import {
  concat,
  paxPart,
  tarHeader,
  tarOf,
} from "../../../tests/support/sources/tar_bytes.ts";
import { readTree } from "../../../tests/support/sources/trees.ts";
import {
  zipOf,
  type ZipPart,
} from "../../../tests/support/sources/zip_bytes.ts";
import { AppError } from "../../base/errors.ts";
import { fetchSource, type Limits } from "../mod.ts";

interface Hostile {
  readonly bytes: Uint8Array;
  readonly message: RegExp;
  readonly limits?: Partial<Limits>;
}

const SKILL = { name: "SKILL.md", content: "# skill" };
const NFC = "caf\u00e9";
const NFD = "cafe\u0301";
const GIB = 1024 ** 3;

/** A tar file that begins harmlessly. */
function tar(...parts: Parameters<typeof tarOf>[0]): Uint8Array {
  return tarOf([SKILL, ...parts]);
}

function zip(...parts: ZipPart[]): Uint8Array {
  return zipOf([SKILL, ...parts]);
}

/** What both formats can say, said in both. */
function both(
  name: string,
  parts: readonly { name: string; content?: string; mode?: number }[],
  message: RegExp,
): Record<string, Hostile> {
  return {
    [`tar: ${name}`]: { bytes: tar(...parts), message },
    [`zip: ${name}`]: { bytes: zip(...parts), message },
  };
}

const NAMES: Record<string, Hostile> = {
  ...both("traversal", [{ name: "../out" }], /"\.\.\/out" leads out of it/),
  ...both("traversal inside a path", [{ name: "a/../../out" }], /leads out/),
  ...both("absolute", [{ name: "/out" }], /"\/out" is an absolute path/),
  ...both("drive letter", [{ name: "C:out" }], /drive letter/),
  ...both("drive letter behind a dot", [{ name: "./C:out" }], /drive letter/),
  ...both("backslash", [{ name: "a\\..\\out" }], /backslash/),
  ...both("control character", [{ name: "a\x1b[2Jb" }], /control character/),
  ...both("empty part", [{ name: "a//b" }], /empty part/),
  ...both("dot part", [{ name: "a/./b" }], /empty part/),
  ...both("device of Windows", [{ name: "aux.md" }], /device on Windows/),
  ...both(
    "long name",
    [{ name: "a/" + "x".repeat(90) + "/..." }],
    /ends in a dot/,
  ),
  ...both("duplicate", [{ name: "a" }, { name: "a" }], /"a" is in it twice/),
  ...both(
    "case-only difference",
    [{ name: "Read" }, { name: "read" }],
    /only in upper and lower case/,
  ),
  ...both(
    "case-only directory",
    [{ name: "A/x" }, { name: "a/y" }],
    /"A" and "a" differ only in upper/,
  ),
  ...both(
    "NFC and NFD",
    [{ name: NFC }, { name: NFD }],
    /only in the Unicode form/,
  ),
  ...both(
    "file below a file",
    [{ name: "a" }, { name: "a/b" }],
    /"a" is a file and has entries below it/,
  ),
  ...both(
    "file over a directory",
    [{ name: "a/b" }, { name: "a" }],
    /"a" is in it twice/,
  ),
  "zip: NUL": { bytes: zip({ name: "a\0b" }), message: /NUL/ },
  "zip: not UTF-8": {
    bytes: zip({ name: Uint8Array.of(0xff, 0x61) }),
    message: /not UTF-8/,
  },
  "tar: NUL": { bytes: tar({ name: "a\0b" }), message: /"a" has a NUL/ },
  "tar: NUL in PAX": {
    bytes: tar(paxPart({ path: "a\0b" }), { name: "x" }),
    message: /NUL/,
  },
  "tar: not UTF-8": {
    bytes: tar({ name: Uint8Array.of(0xff, 0x61) }),
    message: /not UTF-8/,
  },
  "tar: traversal in PAX": {
    bytes: tar(paxPart({ path: "../out" }), { name: "x" }),
    message: /leads out/,
  },
  "tar: traversal in the prefix": {
    bytes: tar({ prefix: "..", name: "out" }),
    message: /leads out/,
  },
  "tar: traversal in a GNU long name": {
    bytes: tar({ type: "L", content: "../out\0" }, { name: "x" }),
    message: /leads out/,
  },
};

const SYMLINK = 0o120777;

const LINKS: Record<string, Hostile> = {
  "tar: symlink out": {
    bytes: tar({ name: "l", type: "2", target: "../../etc" }),
    message: /the link "l" leads out of it/,
  },
  "tar: absolute symlink": {
    bytes: tar({ name: "l", type: "2", target: "/etc/passwd" }),
    message: /the link "l" has a target that is an absolute path/,
  },
  "tar: symlink that climbs after descending": {
    bytes: tar(
      { name: "d/e/up", type: "2", target: "../.." },
      { name: "p", type: "2", target: "d/e/up/.." },
    ),
    message: /leads through a directory and out of it again/,
  },
  "tar: writing through a symlink": {
    bytes: tar(
      { name: "l", type: "2", target: "." },
      { name: "l/evil", content: "x" },
    ),
    message: /"l" is a symlink and has entries below it/,
  },
  "tar: symlink in PAX": {
    bytes: tar(
      paxPart({ linkpath: "../out" }),
      { name: "l", type: "2", target: "fine" },
    ),
    message: /leads out/,
  },
  "tar: symlink in a GNU long name": {
    bytes: tar(
      { type: "K", content: "../out\0" },
      { name: "l", type: "2", target: "fine" },
    ),
    message: /leads out/,
  },
  "tar: empty symlink": {
    bytes: tar({ name: "l", type: "2" }),
    message: /leads nowhere/,
  },
  "tar: hard link out": {
    bytes: tar({ name: "l", type: "1", target: "../SKILL.md" }),
    message: /the hard link "l" leads out of it/,
  },
  "tar: absolute hard link": {
    bytes: tar({ name: "l", type: "1", target: "/etc/passwd" }),
    message: /leads out/,
  },
  "tar: hard link through a symlink": {
    bytes: tar(
      { name: "s", type: "2", target: "SKILL.md" },
      { name: "l", type: "1", target: "s" },
    ),
    message: /leads to no file before it/,
  },
  "tar: hard links that multiply": {
    bytes: tar(
      { name: "big", content: "x".repeat(1000) },
      ...Array.from(
        { length: 20 },
        (_, i) => ({ name: `l${i}`, type: "1", target: "big" }),
      ),
    ),
    message: /unpacks to more than 10000 bytes/,
    limits: { unpackedBytes: 10_000 },
  },
  "zip: symlink out": {
    bytes: zip({ name: "l", content: "../out", mode: SYMLINK }),
    message: /the link "l" leads out of it/,
  },
  "zip: absolute symlink": {
    bytes: zip({ name: "l", content: "/etc", mode: SYMLINK }),
    message: /absolute path/,
  },
  "zip: writing through a symlink": {
    bytes: zip(
      { name: "l", content: ".", mode: SYMLINK },
      { name: "l/evil", content: "x" },
    ),
    message: /"l" is a symlink/,
  },
  "zip: huge symlink": {
    bytes: zip({ name: "l", content: "a/".repeat(2000), mode: SYMLINK }),
    message: /too long a target/,
  },
};

const TYPES: Record<string, Hostile> = {
  "tar: character device": {
    bytes: tar({ name: "d", type: "3" }),
    message: /"d" is a device/,
  },
  "tar: block device": {
    bytes: tar({ name: "d", type: "4" }),
    message: /"d" is a device/,
  },
  "tar: named pipe": {
    bytes: tar({ name: "p", type: "6" }),
    message: /"p" is a named pipe/,
  },
  "tar: sparse file": {
    bytes: tar({ name: "s", type: "S" }),
    message: /"s" is a sparse file/,
  },
  "tar: sparse file in PAX": {
    bytes: tar(paxPart({ "GNU.sparse.major": "1" }), { name: "s" }),
    message: /sparse/,
  },
  "tar: unknown type": {
    bytes: tar({ name: "u", type: "V" }),
    message: /unknown type "V"/,
  },
  "zip: device": {
    bytes: zip({ name: "d", mode: 0o020644 }),
    message: /"d" is a device or a named pipe/,
  },
  "zip: named pipe": {
    bytes: zip({ name: "p", mode: 0o010644 }),
    message: /"p" is a device or a named pipe/,
  },
};

const LIARS: Record<string, Hostile> = {
  "tar: directory with contents": {
    bytes: tar({ name: "d", type: "5", content: "x" }),
    message: /"d" is no file but has contents/,
  },
  "tar: wrong checksum": {
    bytes: tar({ name: "a", checksum: 1 }),
    message: /checksum/,
  },
  "tar: cut off": {
    bytes: tarOf([SKILL, { name: "a", content: "x" }], { withoutEnd: true }),
    message: /ends too early/,
  },
  "tar: huge PAX header": {
    bytes: tar(paxPart({ comment: "x".repeat(100_000) }), { name: "a" }),
    message: /attributes of \d+ bytes/,
  },
  "tar: huge long name": {
    bytes: tar({ type: "L", content: "x".repeat(70_000) }, { name: "a" }),
    message: /attributes of 70000 bytes/,
  },
  "tar: damaged PAX header": {
    bytes: tar({ type: "x", content: "999999 path=../out\n" }, { name: "a" }),
    message: /damaged attributes/,
  },
  "tar: PAX path for all entries": {
    bytes: tar(paxPart({ path: "../out" }, "g"), { name: "a" }),
    message: /"path" of all entries at once/,
  },
  "tar: two names": {
    bytes: tar(
      { type: "L", content: "a\0" },
      paxPart({ path: "b" }),
      { name: "c" },
    ),
    message: /says twice what an entry is called/,
  },
  "tar: long name of nothing": {
    bytes: tar({ type: "L", content: "a\0" }),
    message: /an entry that is missing/,
  },
  "zip: another name before the content": {
    bytes: zip({ name: "good", local: { name: "evil" } }),
    message: /"good" is another entry in the table of contents/,
  },
  "zip: another size before the content": {
    bytes: zip({ name: "good", content: "x", local: { size: 9 } }),
    message: /another entry/,
  },
  "zip: entry that is not listed": {
    bytes: zip({ name: "evil", isHidden: true }, { name: "good" }),
    message: /does not list/,
  },
  "zip: overlapping entries": {
    bytes: zip({ name: "kernel", content: "x" }, {
      name: "kernel",
      offset: 0,
    }),
    message: /overlaps another entry|another entry/,
  },
  "zip: two names": {
    bytes: zip({
      name: "good",
      extra: concat([
        Uint8Array.of(0x75, 0x70, 9, 0, 1, 0, 0, 0, 0),
        new TextEncoder().encode("evil"),
      ]),
    }),
    message: /has two names/,
  },
  "zip: wrong CRC": {
    bytes: zip({ name: "a", content: "x", crc: 1 }),
    message: /"a" is damaged/,
  },
  "zip: encrypted": {
    bytes: zip({ name: "a", content: "x", flags: 0x801 }),
    message: /"a" is encrypted/,
  },
  "zip: unknown method": {
    bytes: zip({ name: "a", content: "x", method: 14 }),
    message: /unknown method 14/,
  },
  "zip: more listed than there are": {
    bytes: zipOf([SKILL], { count: 2 }),
    message: /table of contents is damaged/,
  },
  "zip: something in front": {
    bytes: concat([new Uint8Array([0x50, 0x4b, 0, 0]), zipOf([SKILL])]),
    message: /not where it should be/,
  },
  "zip: cut off": {
    bytes: zipOf([SKILL]).subarray(0, 60),
    message: /ends too early/,
  },
  "gzip: damaged": {
    bytes: gzipSync(tar({ name: "a", content: "x".repeat(9000) }))
      .map((byte, i) => i === 40 ? byte ^ 0xff : byte),
    message: /damaged|checksum/,
  },
  "no archive": {
    bytes: new TextEncoder().encode("<html>".padEnd(600, "x")),
    message: /checksum|wrong number/,
  },
  "xz": {
    bytes: Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0),
    message: /packed with xz/,
  },
};

/** Ten gigabytes of zeros in ten megabytes: one gzip member again and again. */
function tenGigabytes(header: Uint8Array): Uint8Array {
  const zeros = new Uint8Array(gzipSync(new Uint8Array(64 * 1024 * 1024)));
  const start = new Uint8Array(gzipSync(header));
  return concat([start, ...Array.from({ length: 160 }, () => zeros)]);
}

function millionEntries(): Uint8Array {
  // A directory may be named again; making ten thousand would only take time.
  const header = tarHeader({ name: "d", type: "5" });
  const headers = concat(Array.from({ length: 10_000 }, () => header));
  const member = new Uint8Array(gzipSync(headers));
  return concat(Array.from({ length: 100 }, () => member));
}

const BOMBS: Record<string, () => Hostile> = {
  "tar: one file of 10 GB": () => ({
    bytes: tenGigabytes(tarHeader({ name: "zeros", size: 10 * GIB })),
    message: /unpacks to more than \d+ (bytes|times)/,
  }),
  "tar: 10 GB in files under the limit": () => ({
    bytes: tenGigabytes(tarHeader({ name: "zeros", size: GIB - 512 })),
    message: /times its size/,
  }),
  "tar: a million entries": () => ({
    bytes: millionEntries(),
    message: /more than 50000 entries/,
  }),
  "zip: more entries than allowed": () => ({
    bytes: zipOf(
      Array.from(
        { length: 50_001 },
        (_, i) => ({ name: `${i}`, stored: true }),
      ),
    ),
    message: /more than 50000 entries/,
  }),
  "zip: 12 GB declared": () => ({
    bytes: zip(
      ...[1, 2, 3].map((i) => ({
        name: `z${i}`,
        content: "x",
        size: 0xfffffff0,
      })),
    ),
    message: /unpacks to more than \d+ times/,
  }),
  "zip: longer than declared": () => ({
    bytes: zip({ name: "z", content: "x".repeat(50_000_000), size: 10 }),
    message: /damaged|longer than/,
  }),
  "zip: stream longer than declared": () => ({
    bytes: zip({
      name: "z",
      content: new Uint8Array(80_000_000),
      size: 2_000_000,
    }),
    message: /longer than its table of contents says/,
  }),
};

async function refuse(hostile: Hostile): Promise<void> {
  using world = new SourceWorld();
  const into = world.fresh();
  Deno.writeFileSync(world.dir("project/evil.bin"), hostile.bytes);
  const context = world.context(
    hostile.limits === undefined ? {} : { limits: hostile.limits },
  );
  const before = listAll(world.root);
  await rejects(
    fetchSource({ kind: "path", path: "./evil.bin" }, into, {
      kind: "skill",
      context,
    }),
    (error) => {
      ok(error instanceof AppError, String(error));
      deepStrictEqual(error.code, "SOURCE_REFUSED", error.message);
      ok(hostile.message.test(error.message), error.message);
      ok(error.message.startsWith('Cannot take "./evil.bin": '));
      return true;
    },
  );
  deepStrictEqual(readTree(into), {});
  deepStrictEqual(listAll(world.root), before);
}

function listAll(root: string): string[] {
  return [...Deno.readDirSync(root)].flatMap((entry) =>
    entry.isDirectory
      ? [entry.name, ...listAll(`${root}/${entry.name}`)]
      : [entry.name]
  ).sort();
}

for (const group of [NAMES, LINKS, TYPES, LIARS]) {
  for (const [name, hostile] of Object.entries(group)) {
    Deno.test(`fetchSource() refuses ${name}`, async () =>
      await refuse(hostile));
  }
}

for (const [name, make] of Object.entries(BOMBS)) {
  Deno.test(`fetchSource() stops early at ${name}`, async () => {
    const hostile = make();
    const start = performance.now();
    await refuse(hostile);
    const seconds = (performance.now() - start) / 1000;
    ok(seconds < 30, `${seconds} s`);
  });
}
