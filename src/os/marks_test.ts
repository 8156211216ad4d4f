import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { waitForTick } from "../../tests/support/ticks.ts";
import {
  decodeDarwinStat,
  type Looks,
  markOf,
  OpenDirectory,
  pathList,
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
  waitForTick(temp.path);
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

Deno.test("OpenDirectory finds and links entries below it, also when it has moved", () => {
  using temp = new TempDir();
  const [a, b] = [`${temp.path}/a`, `${temp.path}/b`];
  for (const path of [a, b]) Deno.mkdirSync(`${path}/sub`, { recursive: true });
  Deno.writeTextFileSync(`${a}/sub/file`, "x");
  using from = new OpenDirectory(a);
  using to = new OpenDirectory(b);
  deepStrictEqual(from.markOf("sub/file"), markOf(`${a}/sub/file`));
  strictEqual(from.markOf("sub/none"), undefined);
  strictEqual(from.markOf("sub/file/none"), undefined);
  Deno.renameSync(b, `${b}2`);
  const link = (names: string[], toNames: string[]) =>
    from.linkEach(pathList(names), to, pathList(toNames));
  strictEqual(link(["sub/file", "sub/file"], ["sub/x", "y"]), undefined);
  strictEqual(markOf(`${b}2/sub/x`)?.links, 3);
  strictEqual(markOf(`${b}2/y`)?.links, 3);
  Deno.renameSync(`${b}2`, b);
  strictEqual(link(["sub/file"], ["sub/x"]), "EEXIST");
  strictEqual(link(["sub/none"], ["z"]), "ENOENT");
  strictEqual(link(["sub/file"], []), "EINVAL");
});

Deno.test("countAlike() counts until something is gone or looks different", () => {
  using temp = new TempDir();
  const names = ["a", "d/b", "d", "none", "a"];
  Deno.mkdirSync(`${temp.path}/d`);
  for (const name of ["a", "d/b"]) {
    Deno.writeTextFileSync(`${temp.path}/${name}`, "");
  }
  const numbers = Float64Array.from(names.flatMap((name) => {
    const { ino, mtime, ctime } = markOf(`${temp.path}/${name}`) ??
      { ino: 0, mtime: 0, ctime: 0 };
    return [ino, mtime, ctime];
  }));
  const count = (...looks: Looks[]) => {
    using directory = new OpenDirectory(temp.path);
    return directory.countAlike(pathList(names), looks);
  };
  strictEqual(count({ numbers }), 3);
  for (const at of [3, 4, 5]) {
    const other = numbers.with(at, numbers[at]! + 1);
    strictEqual(count({ numbers: other }), 1);
    strictEqual(count({ numbers: other }, { numbers }), 3);
    const [from, to] = [numbers[5]!, numbers[5]! + 5];
    strictEqual(count({ numbers: other, from, to }), at === 5 ? 3 : 1);
    strictEqual(count({ numbers: other, from: from + 1, to }), 1);
  }
  strictEqual(count(), 0);
  using directory = new OpenDirectory(temp.path);
  strictEqual(directory.countAlike(new Uint8Array([0x61]), [{ numbers }]), 0);
  strictEqual(directory.countAlike(pathList([]), [{ numbers }]), 0);
});

Deno.test("OpenDirectory takes no link and no file", () => {
  using temp = new TempDir();
  Deno.symlinkSync("/", `${temp.path}/link`);
  throws(() => new OpenDirectory(`${temp.path}/link`), { code: "IO" });
  throws(() => new OpenDirectory("/dev/null"), {
    message: 'Cannot open "/dev/null": a part of the path is not a directory',
  });
});
