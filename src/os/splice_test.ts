import assert from "node:assert/strict";
import {
  type Connection,
  connectTcp,
  isHangUp,
  listenLoopback,
} from "./sockets.ts";
import { Splice } from "./splice.ts";
import { syscall } from "./syscall.ts";
import { openDescriptors } from "../../tests/support/transfer.ts";

const linux = { ignore: Deno.build.os !== "linux" };

/** Two connections over this machine, each with its other end. Use with `using`. */
class Pairs implements Disposable {
  readonly near: Connection[] = [];
  readonly far: Connection[] = [];

  static async make(): Promise<Pairs> {
    const pairs = new Pairs();
    const listener = listenLoopback();
    const accepted = listener.accept();
    for (let count = 0; count < 2; count++) {
      const target = { address: "127.0.0.1", port: listener.port };
      const connected = await connectTcp(target, { timeoutMs: 5_000 });
      assert.ok(connected.ok);
      pairs.near.push(connected.connection);
      pairs.far.push((await accepted.next()).value);
    }
    await accepted.return(undefined);
    listener.close();
    return pairs;
  }

  [Symbol.dispose](): void {
    for (const connection of [...this.near, ...this.far]) connection.close();
  }
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

async function readText(connection: Connection): Promise<string> {
  const room = new Uint8Array(100);
  const count = await connection.read(room);
  return new TextDecoder().decode(room.subarray(0, count ?? 0));
}

/** Steps until something has come. */
async function stepUntilNews(splice: Splice) {
  while (true) {
    const step = splice.step(100);
    if (step.taken > 0 || step.isEnded) return step;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test(
  "Splice moves what one connection sends to another, and no more than it is told to",
  linux,
  async () => {
    using pairs = await Pairs.make();
    const [from, to] = pairs.near;
    using splice = Splice.open(from!, to!);
    assert.ok(splice);
    assert.deepEqual(splice.step(9), { taken: 0, given: 0, isEnded: false });
    splice.put(bytes("first "));
    await pairs.far[0]!.write(bytes("0123456789"));
    const step = await stepUntilNews(splice);
    assert.deepEqual(step, { taken: 10, given: 16, isEnded: false });
    assert.equal(splice.held, 0);
    assert.equal(await readText(pairs.far[1]!), "first 0123456789");
    await pairs.far[0]!.write(bytes("rest"));
    assert.equal(splice.step(0).taken, 0);
    assert.equal(await readText(from!), "rest");
    await pairs.far[0]!.closeWrite();
    assert.equal((await stepUntilNews(splice)).isEnded, true);
  },
);

Deno.test("Splice gives back what has not gone yet", linux, async () => {
  using pairs = await Pairs.make();
  using splice = Splice.open(pairs.near[0]!, pairs.near[1]!);
  splice!.put(bytes("0123456789"));
  const part = splice!.take(new Uint8Array(4));
  assert.deepEqual(part, bytes("0123"));
  assert.equal(splice!.held, 6);
});

Deno.test(
  "Splice touches no descriptor of a connection that was closed",
  linux,
  async () => {
    for (const side of [0, 1]) {
      using pairs = await Pairs.make();
      using splice = Splice.open(pairs.near[0]!, pairs.near[1]!);
      pairs.near[side]!.close();
      splice!.put(bytes("x"));
      assert.throws(() => splice!.step(1), isHangUp);
      assert.equal(Splice.open(pairs.near[0]!, pairs.near[1]!), undefined);
    }
  },
);

Deno.test(
  "Splice tells of a connection that breaks off, and not that it is done",
  linux,
  async () => {
    using pairs = await Pairs.make();
    using splice = Splice.open(pairs.near[0]!, pairs.near[1]!);
    breakOff(pairs.near[0]!);
    await assert.rejects(stepUntilNews(splice!), isHangUp);
  },
);

Deno.test(
  "Splice is not for connections that are encrypted here",
  linux,
  async () => {
    using pairs = await Pairs.make();
    const [plain, other] = pairs.near;
    const encrypted = { ...other!, ports: () => undefined };
    assert.equal(Splice.open(plain!, encrypted), undefined);
    assert.equal(Splice.open(encrypted, plain!), undefined);
  },
);

/** Ends a connection with a reset, at its other end, which this process has as well. */
function breakOff(connection: Connection): void {
  const port = connection.ports()!.local;
  const unspecific = new Uint8Array(16);
  for (const fd of openDescriptors("socket").map(Number)) {
    const address = new Uint8Array(16);
    const length = new Uint8Array(new Uint32Array([16]).buffer);
    if (syscall("getpeername", fd, address, length) < 0) continue;
    if (new DataView(address.buffer).getUint16(2) !== port) continue;
    assert.equal(syscall("connect", fd, unspecific, unspecific.length), 0);
  }
}
