import assert from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import {
  closeDescriptor,
  describeDescriptor,
  isNonBlocking,
  openRealPathStep,
  setNonBlocking,
} from "./fds.ts";
import { cString } from "./libc.ts";
import { readMemory, takeDescriptor, threadGroup } from "./pidfd.ts";
import {
  receiveDescriptor,
  sendDescriptorStep,
  socketPair,
} from "./socket_pair.ts";
import { cloneAndRun, type Step } from "./clone.ts";
import { addressOf, ERRNO, errnoText, syscall } from "./syscall.ts";
import { SYSCALL_NAMES, syscallNumber } from "./syscall_numbers.ts";

const linux = { ignore: Deno.build.os !== "linux" };

Deno.test(
  "syscall() gives results, and errors as negative numbers",
  linux,
  () => {
    using dir = new TempDir();
    const fd = syscall("openat", -100, cString(dir.path), 0, 0);
    assert.ok(fd > 2);
    assert.equal(syscall("close", fd), 0);
    assert.equal(syscall("close", fd), -ERRNO.EBADF);
    const missing = syscall("openat", -100, cString(`${dir.path}/no`), 0, 0);
    assert.equal(errnoText(missing), "ENOENT");
    assert.equal(errnoText(-9999), "error 9999");
  },
);

Deno.test("syscallNumber() has no number twice on one machine", () => {
  for (const machine of ["x86_64", "aarch64"] as const) {
    const numbers = SYSCALL_NAMES.map((name) => syscallNumber(name, machine))
      .filter((number) => number !== undefined);
    assert.equal(new Set(numbers).size, numbers.length);
    assert.ok(numbers.length > 100);
  }
});

Deno.test(
  "openRealPathStep() refuses every path with a symbolic link in it",
  linux,
  () => {
    using dir = new TempDir();
    Deno.mkdirSync(`${dir.path}/real`);
    Deno.writeTextFileSync(`${dir.path}/real/file`, "");
    Deno.symlinkSync("real", `${dir.path}/link`);
    Deno.symlinkSync("file", `${dir.path}/real/name`);
    for (const name of ["link", "link/file", "real/name"]) {
      assert.equal(openReal(`${dir.path}/${name}`), -ERRNO.ELOOP, name);
    }
    const fds = ["real", "real/file"].map((n) => openReal(`${dir.path}/${n}`));
    assert.deepEqual(fds.map(describeDescriptor), [
      { kind: "directory", links: 2 },
      { kind: "file", links: 1 },
    ]);
    fds.forEach(closeDescriptor);
    assert.equal(describeDescriptor(fds[0]!), undefined);
  },
);

Deno.test(
  "sendDescriptorStep() hands over what receiveDescriptor() takes",
  linux,
  () => {
    const ends = socketPair();
    assert.ok(Array.isArray(ends));
    const [a, b] = ends;
    assert.equal(receiveDescriptor(b), -ERRNO.EAGAIN);
    const { step, slot } = sendDescriptorStep(a);
    const dup: Step = { call: "fcntl", args: [a, 1030, 3], writesTo: slot };
    const exit: Step = { call: "exit_group", args: [0] };
    const child = cloneAndRun([dup, step, exit], { waits: true, keep: [] });
    assert.ok(typeof child !== "number");
    syscall("wait4", child.pid, 0, 0, 0);
    const copy = receiveDescriptor(b);
    assert.ok(copy > 2, `${copy}`);
    assert.equal(describeDescriptor(copy)?.kind, "socket");
    assert.equal(isNonBlocking(copy), false);
    assert.equal(setNonBlocking(copy, true), 0);
    // Both descriptors share the open socket.
    assert.equal(isNonBlocking(a), true);
    for (const fd of [a, b, copy]) closeDescriptor(fd);
    assert.equal(isNonBlocking(copy), -ERRNO.EBADF);
  },
);

Deno.test(
  "readMemory() and takeDescriptor() work on the own process",
  linux,
  () => {
    const source = new TextEncoder().encode("what is here");
    const copy = new Uint8Array(source.length);
    assert.equal(readMemory(Deno.pid, addressOf(source), copy), source.length);
    assert.deepEqual(copy, source);
    assert.equal(readMemory(Deno.pid, 1n, copy), -ERRNO.EFAULT);
    const fd = takeDescriptor(Deno.pid, 2);
    assert.ok(fd > 2);
    closeDescriptor(fd);
    assert.equal(takeDescriptor(Deno.pid, 99_999), -ERRNO.EBADF);
    assert.equal(threadGroup(Deno.pid), Deno.pid);
  },
);

function openReal(path: string): number {
  const { call, args } = openRealPathStep(path);
  return syscall(call, ...args);
}
