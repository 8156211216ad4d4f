import assert from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { CallList, placeOf } from "./call_list.ts";
import { CALL_NUMBERS } from "./call_numbers.ts";
import { runHere, type Step } from "./clone.ts";
import { cString } from "./libc.ts";
import { FACT, FACT_WORDS, statMany } from "./stat_list.ts";
import { addressOf, ARCHITECTURE, ERRNO } from "./syscall.ts";
import { type SyscallName, syscallNumber } from "./syscall_numbers.ts";

const linux = { ignore: Deno.build.os !== "linux" };
const HERE = -100;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

function numberOf(name: SyscallName): number {
  return syscallNumber(name, ARCHITECTURE)!;
}

Deno.test(
  "CallList makes its calls here, and gives one what another returned",
  linux,
  () => {
    using dir = new TempDir();
    const path = cString(`${dir.path}/file`);
    const text = new TextEncoder().encode("written by a list");
    const slot = new Uint8Array(8);
    const list = new CallList(3);
    const open = list.add(numberOf("openat"), [
      ...[HERE, placeOf(path), 0o2000102, 0o600],
    ]);
    const write = list.add(numberOf("write"), [0, placeOf(text), text.length]);
    list.useResult(write, { of: open, argument: 0 });
    const close = list.add(numberOf("close"), [0]);
    list.useResult(close, { of: open, argument: 0, nth: 1 });
    list.writeResult(write, { to: placeOf(slot) });
    assert.equal(list.run(), -1);
    assert.equal(
      Deno.readTextFileSync(`${dir.path}/file`),
      "written by a list",
    );
    assert.ok(list.result(open) > 2);
    assert.deepEqual([list.result(write), list.result(close)], [
      text.length,
      0,
    ]);
    assert.equal(slot[0], text.length);
    assert.throws(() => list.add(numberOf("getpid"), []), RangeError);
  },
);

Deno.test("CallList ends at a call that fails unless that may", linux, () => {
  const missing = cString("/no/such");
  for (const mayFail of [false, true]) {
    const list = new CallList(2);
    const open = list.add(numberOf("openat"), [HERE, placeOf(missing), 0]);
    const pid = list.add(numberOf("getpid"), []);
    if (mayFail) list.mayFail(open);
    assert.equal(list.run(), mayFail ? -1 : open);
    assert.equal(list.result(open), -ERRNO.ENOENT);
    assert.equal(list.result(pid), mayFail ? Deno.pid : 0);
  }
});

Deno.test("CallList makes thousands of calls, again and again", linux, () => {
  const list = new CallList(5000);
  for (let i = 0; i < 5000; i++) list.add(numberOf("getpid"), []);
  for (let i = 0; i < 20; i++) {
    assert.equal(list.run(), -1);
    assert.equal(list.result(4999), Deno.pid);
  }
});

Deno.test(
  "runHere() makes the steps of a list in this thread and names the one that failed",
  linux,
  () => {
    const slot = new Uint8Array(8);
    const pid: Step = { call: "getpid", args: [], writesTo: addressOf(slot) };
    const missing: Step = {
      call: "openat",
      args: [HERE, cString("/no/such"), 0],
    };
    const keep = slot;
    assert.equal(
      runHere([pid, { ...missing, mayFail: true }], { keep }),
      undefined,
    );
    assert.equal(new DataView(slot.buffer).getInt32(0, true), Deno.pid);
    assert.deepEqual(runHere([pid, missing, pid], { keep }), {
      step: missing,
      result: -ERRNO.ENOENT,
    });
  },
);

Deno.test(
  "statMany() says what each path is, links followed or not",
  linux,
  () => {
    using dir = new TempDir();
    const file = `${dir.path}/file`;
    Deno.writeTextFileSync(file, "12345");
    Deno.symlinkSync("file", `${dir.path}/link`);
    const names = [file, `${dir.path}/link`, `${dir.path}/link`, `${file}/x`];
    const paths = new TextEncoder().encode(names.join("\0") + "\0");
    const found = statMany(paths, [0, 0, 1, 0]);
    assert.ok(found !== undefined);
    const word = (index: number, at: number) =>
      found.words[index * FACT_WORDS + at]!;
    const types = names.map((_, i) => (word(i, FACT.mode) & 0xffff) & S_IFMT);
    assert.deepEqual(types, [S_IFREG, S_IFLNK, S_IFREG, 0]);
    assert.deepEqual(names.map((_, i) => found.result(i)), [
      ...[0, 0, 0, -ERRNO.ENOTDIR],
    ]);
    assert.equal(word(0, FACT.size), 5);
    const { ino, mtime } = Deno.statSync(file);
    assert.equal(word(2, FACT.inode) >>> 0, ino! % 2 ** 32);
    assert.equal(word(0, FACT.written), Math.floor(mtime!.getTime() / 1000));
  },
);

Deno.test(
  "statMany() refuses paths that are not as many as they should be",
  linux,
  () => {
    const paths = new TextEncoder().encode("/a\0/b\0");
    assert.equal(statMany(paths, [1]), undefined);
    assert.equal(statMany(paths, [1, 1, 1]), undefined);
    assert.equal(statMany(paths.subarray(0, 5), [1, 1]), undefined);
    assert.equal(statMany(new Uint8Array(), [])?.words.length, 0);
  },
);

Deno.test("CALL_NUMBERS are those of the whole table", () => {
  for (const machine of ["x86_64", "aarch64"] as const) {
    for (const [name, number] of Object.entries(CALL_NUMBERS[machine])) {
      const known = syscallNumber(name as SyscallName, machine);
      assert.equal(number, known, name);
    }
  }
});
