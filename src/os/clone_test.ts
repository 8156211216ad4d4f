import assert from "node:assert/strict";
import { waitFor } from "../../tests/support/process.ts";
import { TempDir } from "../../tests/support/temp.ts";
import { cloneAndRun, type Cloned, signalSteps, type Step } from "./clone.ts";
import { closeDescriptor } from "./fds.ts";
import { cString, cStrings } from "./libc.ts";
import { addressOf, ERRNO, syscall } from "./syscall.ts";

const linux = { ignore: Deno.build.os !== "linux" };
const WNOHANG = 1;

/** The child's wait status once it has ended. */
async function statusOf(child: Cloned): Promise<number> {
  const status = new Int32Array(1);
  const bytes = new Uint8Array(status.buffer);
  return await waitFor("the child ends", () => {
    const found = syscall("wait4", child.pid, bytes, WNOHANG, 0);
    return found === child.pid ? status[0]! : undefined;
  });
}

function start(
  steps: readonly Step[],
  options: { waits?: boolean; keep?: unknown[]; namespaces?: number } = {},
): Cloned {
  const child = cloneAndRun(steps, { waits: true, keep: [], ...options });
  assert.ok(typeof child !== "number", `${child}`);
  return child;
}

Deno.test("a cloned child makes its calls and ends", linux, async () => {
  using dir = new TempDir();
  const path = cString(`${dir.path}/file`);
  const open: Step = { call: "openat", args: [-100, path, 0o102, 0o600] };
  const text = new TextEncoder().encode("written by the child");
  const write: Step = {
    call: "write",
    args: [{ resultOf: open }, text, text.length],
  };
  const child = start([open, write, { call: "exit_group", args: [7] }]);
  assert.equal(await statusOf(child), 7 << 8);
  assert.equal(
    Deno.readTextFileSync(`${dir.path}/file`),
    "written by the child",
  );
  assert.equal(child.results()[1], text.length);
  assert.equal(child.failure(), undefined);
  // What it opened is its own.
  assert.equal(syscall("close", child.results()[0]!), -ERRNO.EBADF);
});

Deno.test(
  "a failing call ends the child unless it may fail",
  linux,
  async () => {
    const missing: Step = {
      call: "openat",
      args: [-100, cString("/no/such"), 0],
    };
    const exit: Step = { call: "exit_group", args: [5] };
    const patient = start([{ ...missing, mayFail: true }, exit]);
    assert.equal(await statusOf(patient), 5 << 8);
    assert.deepEqual(patient.results()[0], -ERRNO.ENOENT);
    assert.equal(patient.failure(), undefined);
    const strict = start([missing, exit]);
    assert.equal(await statusOf(strict), 127 << 8);
    assert.deepEqual(strict.failure(), {
      step: missing,
      result: -ERRNO.ENOENT,
    });
  },
);

Deno.test(
  "a result reaches memory and the calls that use it",
  linux,
  async () => {
    const slot = new Uint8Array(8);
    const pid: Step = { call: "getppid", args: [], writesTo: addressOf(slot) };
    const child = start([
      pid,
      { call: "exit_group", args: [{ resultOf: pid }] },
    ], { keep: [slot] });
    assert.equal(await statusOf(child), (Deno.pid & 0xff) << 8);
    assert.equal(new DataView(slot.buffer).getInt32(0, true), Deno.pid);
  },
);

Deno.test(
  "a list that uses what is not there is refused before anything runs",
  linux,
  () => {
    const later: Step = { call: "getppid", args: [] };
    const exit: Step = { call: "exit_group", args: [{ resultOf: later }] };
    const options = { waits: true, keep: [] };
    assert.throws(() => cloneAndRun([exit, later], options), /comes before/);
    const unsure: Step = { ...later, mayFail: true };
    assert.throws(
      () =>
        cloneAndRun([unsure, {
          call: "exit_group",
          args: [{ resultOf: unsure }],
        }], options),
      /cannot be used/,
    );
  },
);

Deno.test(
  "a child that nobody waits for runs beside this process",
  linux,
  async () => {
    const ends = new Int32Array(2);
    syscall("pipe2", new Uint8Array(ends.buffer), 0o2000000);
    const [from, into] = ends as unknown as [number, number];
    const byte = new Uint8Array(1);
    const child = start([
      { call: "read", args: [from, byte, 1] },
      { call: "exit_group", args: [0] },
    ], { waits: false });
    assert.deepEqual(child.results(), [0, 0]);
    syscall("write", into, new Uint8Array([42]), 1);
    assert.equal(await statusOf(child), 0);
    // The memory is shared.
    assert.equal(byte[0], 42);
    closeDescriptor(from);
    closeDescriptor(into);
  },
);

Deno.test(
  "a child becomes a program, with no signal blocked, and those ignored that its starter found ignored",
  linux,
  async () => {
    using dir = new TempDir();
    const out = `${dir.path}/out`;
    const listener = () => {};
    Deno.addSignalListener("SIGUSR1", listener);
    try {
      const script = 'grep -E "^Sig(Blk|Ign)" /proc/self/status; ' +
        'echo "$A $1"';
      const argv = cStrings(["sh", "-c", script, "sh", "x y"]);
      const env = cStrings(["A=b", "PATH=/usr/bin:/bin"]);
      const open: Step = {
        call: "openat",
        args: [-100, cString(out), 0o2000102, 0o600],
      };
      const child = start([
        open,
        { call: "dup3", args: [{ resultOf: open }, 1, 0] },
        ...signalSteps(),
        {
          call: "execve",
          args: [cString("/bin/sh"), pointer(argv), pointer(env)],
        },
      ], { keep: [argv, env] });
      assert.equal(await statusOf(child), 0);
      const lines = Deno.readTextFileSync(out).trim().split("\n");
      assert.deepEqual(lines, [
        "SigBlk:\t0000000000000000",
        `SigIgn:\t${ignoredFromOutside()}`,
        "b x y",
      ]);
    } finally {
      Deno.removeSignalListener("SIGUSR1", listener);
    }
  },
);

function pointer(strings: ReturnType<typeof cStrings>): bigint {
  return BigInt(Deno.UnsafePointer.value(strings.pointer));
}

/** The runtime ignores SIGPIPE for itself; whatever else is ignored, our own starter wanted so. */
function ignoredFromOutside(): string {
  const status = Deno.readTextFileSync("/proc/self/status");
  const mask = BigInt("0x" + /^SigIgn:\s*([0-9a-f]+)$/m.exec(status)![1]!);
  const SIGPIPE = 1n << 12n;
  return (mask & ~SIGPIPE).toString(16).padStart(16, "0");
}
