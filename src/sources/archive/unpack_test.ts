/** Archives that real programs wrote, and what comes out of them. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { AbsPath } from "../../base/paths.ts";
import { run } from "../../../tests/support/process.ts";
import { TempDir } from "../../../tests/support/temp.ts";
import { paxPart, tarOf } from "../../../tests/support/sources/tar_bytes.ts";
import { readTree, writeTree } from "../../../tests/support/sources/trees.ts";
import { zipOf } from "../../../tests/support/sources/zip_bytes.ts";
import { LIMITS } from "../source.ts";
import { unpackArchive } from "./unpack.ts";

const ENV = { PATH: "/usr/bin:/bin" };
const FILES = {
  "SKILL.md": "# skill",
  "bin/tool": "+x tool",
  "deep/er/ü/文.txt": "x".repeat(100_000),
  "empty.txt": "",
  "link": "-> deep/er",
};

async function unpack(bytes: Uint8Array, dir: TempDir): Promise<string> {
  const file = `${dir.path}/archive`;
  Deno.writeFileSync(file, bytes);
  return await unpackFile(file, dir);
}

async function unpackFile(file: string, dir: TempDir): Promise<string> {
  const into = `${dir.path}/into`;
  Deno.mkdirSync(into);
  await unpackArchive(file as AbsPath, into as AbsPath, {
    what: "archive",
    limits: LIMITS,
    signal: undefined,
  });
  return into;
}

/** Other systems' tar has no such name for it. */
const GNU = Deno.build.os === "linux" ? "gnu" : "gnutar";

const PACKERS: Readonly<Record<string, readonly string[]>> = {
  "tar": ["tar", "-cf", "OUT", "-C", "IN", "."],
  "tar --format=pax": ["tar", "--format=pax", "-cf", "OUT", "-C", "IN", "."],
  [`tar --format=${GNU} -z`]: [
    "tar",
    `--format=${GNU}`,
    "-czf",
    "OUT",
    "-C",
    "IN",
    ".",
  ],
  "tar --format=v7": ["tar", "--format=v7", "-cf", "OUT", "-C", "IN", "."],
  "zip": ["sh", "-c", "cd IN && zip -qry OUT .", "zip"],
  "zip -0": ["sh", "-c", "cd IN && zip -0 -qry OUT .", "zip"],
};

for (const [name, words] of Object.entries(PACKERS)) {
  Deno.test(`unpackArchive() gives back what ${name} packed`, async () => {
    using dir = new TempDir();
    writeTree(`${dir.path}/in`, FILES);
    const out = `${dir.path}/archive.${name.slice(0, 3)}`;
    const [program = "", ...args] = words.map((word) =>
      word.replaceAll("OUT", out).replaceAll("IN", `${dir.path}/in`)
    );
    const packed = await run(program, args, { env: ENV, cwd: dir.path });
    strictEqual(packed.code, 0, packed.stderr);
    const into = await unpackFile(out, dir);
    deepStrictEqual(readTree(into), readTree(`${dir.path}/in`));
    strictEqual(Deno.statSync(`${into}/bin/tool`).mode! & 0o7777, 0o755);
    strictEqual(Deno.statSync(`${into}/SKILL.md`).mode! & 0o7777, 0o644);
  });
}

Deno.test("unpackArchive() reads long names as GNU and as POSIX write them", async () => {
  using dir = new TempDir();
  const long = "d/".repeat(90) + "file";
  writeTree(`${dir.path}/in`, { [long]: "content" });
  for (const format of [GNU, "pax", "ustar"]) {
    const out = `${dir.path}/${format}.tar`;
    const packed = await run(
      "tar",
      [`--format=${format}`, "-cf", out, "-C", `${dir.path}/in`, "."],
      { env: ENV, cwd: dir.path },
    );
    strictEqual(packed.code, 0, packed.stderr);
    const into = await unpackFile(out, dir);
    deepStrictEqual(readTree(into), { [long]: "content" });
    Deno.removeSync(into, { recursive: true });
  }
});

Deno.test("unpackArchive() makes a hard link inside an archive a copy", async () => {
  using dir = new TempDir();
  const bytes = tarOf([
    { name: "a", content: "same", mode: 0o755 },
    { name: "b", type: "1", target: "./a" },
  ]);
  const into = await unpack(bytes, dir);
  deepStrictEqual(readTree(into), { a: "same", b: "same" });
  const [a, b] = [Deno.statSync(`${into}/a`), Deno.statSync(`${into}/b`)];
  strictEqual(a.ino === b.ino, false);
  strictEqual(b.mode! & 0o777, 0o755);
});

Deno.test("unpackArchive() masks set-id bits and world-writable modes, whatever the umask", async () => {
  using dir = new TempDir();
  const bytes = tarOf([
    { name: "setuid", content: "x", mode: 0o6755 },
    { name: "open", content: "x", mode: 0o666 },
    { name: "shut", content: "x", mode: 0 },
  ]);
  const before = Deno.umask(0);
  try {
    const into = await unpack(bytes, dir);
    const mode = (name: string) =>
      Deno.statSync(`${into}/${name}`).mode! & 0o7777;
    deepStrictEqual(["setuid", "open", "shut"].map(mode), [
      0o755,
      0o644,
      0o644,
    ]);
  } finally {
    Deno.umask(before);
  }
});

Deno.test("unpackArchive() leaves out what version control and file managers leave behind", async () => {
  using dir = new TempDir();
  const bytes = zipOf([
    { name: "SKILL.md", content: "x" },
    { name: ".git/hooks/post-checkout", content: "x" },
    { name: "__MACOSX/._SKILL.md", content: "x" },
    { name: "sub/.DS_Store", content: "x" },
    { name: "sub/__pycache__/a.pyc", content: "x" },
  ]);
  deepStrictEqual(readTree(await unpack(bytes, dir)), { "SKILL.md": "x" });
});

Deno.test("unpackArchive() goes by the first bytes, not by the name", async () => {
  using dir = new TempDir();
  const bytes = gzipSync(tarOf([{ name: "a", content: "b" }]));
  Deno.writeFileSync(`${dir.path}/x.zip`, bytes);
  deepStrictEqual(readTree(await unpackFile(`${dir.path}/x.zip`, dir)), {
    a: "b",
  });
});

Deno.test("unpackArchive() reads the comment of a commit that git archive puts first", async () => {
  using dir = new TempDir();
  const bytes = tarOf([
    paxPart({ comment: "0123456789" }, "g"),
    { name: "repo-1.0/", type: "5" },
    { name: "repo-1.0/SKILL.md", content: "x" },
  ]);
  const into = await unpack(bytes, dir);
  deepStrictEqual(readTree(into), { "repo-1.0/SKILL.md": "x" });
});

Deno.test("unpackArchive() stops when it is interrupted", async () => {
  using dir = new TempDir();
  const file = `${dir.path}/a.tar`;
  Deno.writeFileSync(file, tarOf([{ name: "a", content: "b" }]));
  Deno.mkdirSync(`${dir.path}/into`);
  const reason = new Error("enough");
  await rejects(
    unpackArchive(file as AbsPath, `${dir.path}/into` as AbsPath, {
      what: "archive",
      limits: LIMITS,
      signal: AbortSignal.abort(reason),
    }),
    reason,
  );
});
