import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import {
  decodeDarwinStat,
  markOf,
  readNames,
  syncFileSystem,
  tryClone,
  tryLink,
} from "./marks.ts";

/** What stat(1) says: permission bits, size, names, inode, and times in microseconds. */
function statOf(path: string): (string | number)[] {
  const { stdout } = new Deno.Command("stat", {
    args: ["--printf=%a %s %h %i %.6Y %.6Z", path],
  }).outputSync();
  return new TextDecoder().decode(stdout).split(" ").map((word, i) =>
    i === 0 ? word : Number(i < 4 ? word : word.replace(".", ""))
  );
}

/** Returns when the clock of the file system is past `time`: it may move in steps of some milliseconds. */
function waitForTick(dir: string, time: number): void {
  const probe = `${dir}/probe`;
  do Deno.writeTextFileSync(probe, ""); while (markOf(probe)!.ctime <= time);
  Deno.removeSync(probe);
}

Deno.test("markOf() tells what stat(1) tells, times to the microsecond", () => {
  using temp = new TempDir();
  const path = `${temp.path}/file with ünïcode`;
  Deno.writeTextFileSync(path, "some text");
  Deno.chmodSync(path, 0o4751);
  Deno.linkSync(path, `${temp.path}/second`);
  const mark = markOf(path)!;
  const { mode, size, links, ino, mtime, ctime } = mark;
  deepStrictEqual(
    [mode.toString(8), size, links, ino, mtime, ctime],
    statOf(path),
  );
  strictEqual(mark.kind, "file");
});

Deno.test("markOf() tells the kinds apart and follows no link", () => {
  using temp = new TempDir();
  Deno.symlinkSync("/", `${temp.path}/link`);
  new Deno.Command("mkfifo", { args: [`${temp.path}/pipe`] }).outputSync();
  strictEqual(markOf(temp.path)?.kind, "directory");
  strictEqual(markOf(`${temp.path}/link`)?.kind, "symlink");
  strictEqual(markOf(`${temp.path}/pipe`)?.kind, "other");
  strictEqual(markOf(`${temp.path}/none`), undefined);
  strictEqual(markOf(`/dev/null/none`), undefined);
});

Deno.test("markOf() names the path that is too long", () => {
  throws(() => markOf("/tmp/" + "x".repeat(300)), {
    code: "IO",
    message: /: the name is too long$/,
  });
  throws(() => markOf("/tmp" + "/x".repeat(3000)), {
    code: "IO",
    message: /: the name is too long$/,
  });
});

Deno.test("markOf() shows a write whose time was set back", () => {
  using temp = new TempDir();
  const path = `${temp.path}/a`;
  Deno.writeTextFileSync(path, "one");
  Deno.utimeSync(path, 1, 1);
  const before = markOf(path)!;
  waitForTick(temp.path, before.ctime);
  Deno.writeTextFileSync(path, "two");
  Deno.utimeSync(path, 1, 1);
  const after = markOf(path)!;
  strictEqual(after.mtime, before.mtime);
  ok(after.ctime > before.ctime);
});

Deno.test("decodeDarwinStat() reads the layout of macOS", () => {
  const view = new DataView(new ArrayBuffer(144));
  view.setUint16(4, 0o100755, true);
  view.setUint16(6, 3, true);
  view.setBigUint64(8, 5_000_000_123n, true);
  view.setBigInt64(48, 1_700_000_000n, true);
  view.setBigInt64(56, 123_456_789n, true);
  view.setBigInt64(64, 1_700_000_001n, true);
  view.setBigInt64(72, 999_999n, true);
  view.setBigInt64(96, 5_368_709_120n, true);
  deepStrictEqual(decodeDarwinStat(view), {
    kind: "file",
    mode: 0o755,
    size: 5_368_709_120,
    links: 3,
    ino: 5_000_000_123,
    mtime: 1_700_000_000_123_456,
    ctime: 1_700_000_001_000_999,
  });
});

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
    message: `Cannot list "${temp.path}/none": it does not exist`,
  });
});

Deno.test("tryLink() gives a second name, or says why not", () => {
  using temp = new TempDir();
  const [a, b] = [`${temp.path}/a`, `${temp.path}/b`];
  Deno.writeTextFileSync(a, "x");
  strictEqual(tryLink(a, b), undefined);
  strictEqual(markOf(a)?.ino, markOf(b)?.ino);
  strictEqual(tryLink(a, b), "EEXIST");
  strictEqual(tryLink(`${temp.path}/none`, `${temp.path}/c`), "ENOENT");
});

Deno.test("tryClone() makes a copy with shared blocks, or says why not and leaves nothing", () => {
  using temp = new TempDir();
  const [a, b] = [`${temp.path}/a`, `${temp.path}/b`];
  Deno.writeTextFileSync(a, "some text");
  const code = tryClone(a, b, 0o400);
  if (code !== undefined) return strictEqual(markOf(b), undefined);
  strictEqual(Deno.readTextFileSync(b), "some text");
  strictEqual(markOf(b)?.mode, 0o400);
});

Deno.test("syncFileSystem() returns, and names a directory that is not there", () => {
  using temp = new TempDir();
  syncFileSystem(temp.path);
  throws(() => syncFileSystem(`${temp.path}/none`), {
    message: /Cannot open .*none": it does not exist$/,
  });
});
