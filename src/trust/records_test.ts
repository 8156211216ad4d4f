import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { type Dirs, dirsAt } from "../base/dirs.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { ensureDir, writeAtomic } from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import {
  listRecords,
  readMarks,
  readRecord,
  readShown,
  recordPaths,
  recordPuts,
  writeMarks,
} from "./records.ts";
import type { Shown, TrustRecord } from "./types.ts";

const SHOWN = {
  text: "t",
  items: [{ title: "a", lines: ["b"] }],
  files: { "plugin p": { x: "file 1" } },
};

function inHome(body: (dirs: Dirs, root: string) => void): void {
  using temp = new TempDir();
  body(dirsAt(join(temp.path as AbsPath, "home")), temp.path);
}

function writeRecord(dirs: Dirs, record: TrustRecord, shown: Shown): void {
  ensureDir(dirs.trust);
  for (const { path, data } of recordPuts(dirs, record, shown)) {
    writeAtomic(path, data);
  }
}

function record(name: string): TrustRecord {
  const path = `/${name}/aenv.toml` as AbsPath;
  return { manifest: path, real: path, manifestHash: "h", trees: { p: "1" } };
}

Deno.test("recordPuts() makes what is read back, and recordPaths() names it", () => {
  inHome((dirs) => {
    const one = record("one");
    strictEqual(readRecord(dirs, one.manifest), undefined);
    writeRecord(dirs, one, SHOWN);
    writeMarks(dirs, one.manifest, { m: "1" });
    deepStrictEqual(readRecord(dirs, one.manifest), one);
    deepStrictEqual(readShown(dirs, one.manifest), SHOWN);
    deepStrictEqual(readMarks(dirs, one.manifest), { m: "1" });
    const names = [...Deno.readDirSync(dirs.trust)].map(({ name }) => name);
    const id = sha256Hex(one.manifest);
    deepStrictEqual(
      names.sort(),
      ["json", "marks.json", "shown.json"].map((end) => `${id}.${end}`),
    );
    const kept = names.filter((name) => !name.includes("marks"));
    deepStrictEqual(
      recordPaths(dirs, one.manifest).toSorted(),
      kept.map((name) => join(dirs.trust, name)),
    );
    writeMarks(dirs, one.manifest, undefined);
    deepStrictEqual(readMarks(dirs, one.manifest), {});
  });
});

Deno.test("listRecords() has every record once, by path", () => {
  inHome((dirs) => {
    deepStrictEqual(listRecords(dirs), []);
    for (const name of ["b", "a"]) {
      writeRecord(dirs, record(name), SHOWN);
      writeMarks(dirs, record(name).manifest, { m: "1" });
    }
    deepStrictEqual(listRecords(dirs), [record("a"), record("b")]);
  });
});

Deno.test("readRecord() takes a record that it does not understand for none", () => {
  inHome((dirs) => {
    const one = record("one");
    writeRecord(dirs, one, SHOWN);
    const file = join(dirs.trust, `${sha256Hex(one.manifest)}.json`);
    const texts = [
      "",
      "{",
      "[]",
      "null",
      JSON.stringify({ version: 2, ...one }),
      JSON.stringify({ version: 1, ...one, trees: { p: 1 } }),
      JSON.stringify({ version: 1, ...one, manifest: "aenv.toml" }),
      JSON.stringify({ version: 1, ...one, manifestHash: undefined }),
    ];
    for (const text of texts) {
      Deno.writeTextFileSync(file, text);
      strictEqual(readRecord(dirs, one.manifest), undefined, text);
      deepStrictEqual(listRecords(dirs), []);
    }
    Deno.writeTextFileSync(file, JSON.stringify({ version: 1, ...one }));
    deepStrictEqual(readRecord(dirs, one.manifest), one);
  });
});
