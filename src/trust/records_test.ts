import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { type Dirs, dirsAt } from "../base/dirs.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { sha256Hex } from "../os/hash.ts";
import {
  listRecords,
  readMarks,
  readRecord,
  readShown,
  removeRecord,
  writeMarks,
  writeRecord,
} from "./records.ts";
import type { TrustRecord } from "./types.ts";

const SHOWN = {
  text: "t",
  items: [{ title: "a", lines: ["b"] }],
  files: { "plugin p": { x: "file 1" } },
};

function inHome(body: (dirs: Dirs, root: string) => void): void {
  using temp = new TempDir();
  body(dirsAt(join(temp.path as AbsPath, "home")), temp.path);
}

function record(name: string): TrustRecord {
  const path = `/${name}/aenv.toml` as AbsPath;
  return { manifest: path, real: path, manifestHash: "h", trees: { p: "1" } };
}

Deno.test("writeRecord() keeps a record and what was shown, closed to others; removeRecord() takes all of it away", () => {
  inHome((dirs) => {
    const one = record("one");
    strictEqual(readRecord(dirs, one.manifest), undefined);
    strictEqual(removeRecord(dirs, one.manifest), false);
    writeRecord(dirs, one, SHOWN);
    writeMarks(dirs, one.manifest, { m: "1" });
    deepStrictEqual(readRecord(dirs, one.manifest), one);
    deepStrictEqual(readShown(dirs, one.manifest), SHOWN);
    deepStrictEqual(readMarks(dirs, one.manifest), { m: "1" });
    const names = [...Deno.readDirSync(dirs.trust)].map(({ name }) => name);
    strictEqual(names.length, 3);
    for (const name of names) {
      strictEqual(name.startsWith(sha256Hex(one.manifest)), true);
      const mode = Deno.statSync(join(dirs.trust, name)).mode! & 0o777;
      strictEqual(mode, 0o600);
    }
    strictEqual(removeRecord(dirs, one.manifest), true);
    deepStrictEqual([...Deno.readDirSync(dirs.trust)], []);
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
