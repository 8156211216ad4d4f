import assert from "node:assert/strict";
import { waitFor } from "../../../tests/support/process.ts";
import { ProxyWorld } from "../../../tests/support/proxy_world.ts";
import {
  openDescriptors,
  Receiver,
  sendStream,
  streamHash,
  writeAll,
} from "../../../tests/support/transfer.ts";
import { syscall } from "../../os/syscall.ts";

const MB = 1024 * 1024;
/** Enough for every way of copying, and no whole number of anything. */
const LENGTH = 24 * MB + 4321;
const isLinux = Deno.build.os === "linux";
const linux = { ignore: !isLinux };

type Handler = (receiver: Receiver, connection: Deno.TcpConn) => Promise<void>;

/** A proxy before a server, and a look at what is left open when both are gone. Use with `await using`. */
class Place implements AsyncDisposable {
  readonly #before = isLinux ? descriptors() : 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #world = new ProxyWorld([`localhost:${this.#listener.addr.port}`]);
  readonly #ends: Disposable[] = [];
  readonly #serving: Promise<void>;
  /** What handlers failed with. */
  readonly failures: unknown[] = [];

  constructor(handle: Handler) {
    this.#serving = this.#serve(handle);
  }

  get authority(): string {
    return `localhost:${this.#listener.addr.port}`;
  }

  async #serve(handle: Handler): Promise<void> {
    const handled: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      this.#ends.push(closing(connection));
      const done = handle(new Receiver(connection), connection);
      handled.push(done.catch((error) => void this.failures.push(error)));
    }
    await Promise.all(handled);
  }

  /** A connection to the proxy. */
  async connect(bufferBytes?: number): Promise<Receiver> {
    const port = this.#world.port;
    const client = await Deno.connect({ hostname: "127.0.0.1", port });
    this.#ends.push(closing(client));
    return new Receiver(client, bufferBytes);
  }

  /** A tunnel to the server. */
  async tunnel(bufferBytes?: number): Promise<Receiver> {
    const client = await this.connect(bufferBytes);
    await this.ask(client, `CONNECT ${this.authority}`);
    assert.match(await client.head(), /^HTTP\/1\.1 200 /);
    return client;
  }

  /** Sends the head of a request. */
  async ask({ connection }: Receiver, line: string, fields = "") {
    const head = `${line} HTTP/1.1\r\n${this.#world.authorization}${fields}`;
    await writeAll(connection, new TextEncoder().encode(`${head}\r\n`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const end of this.#ends) end[Symbol.dispose]();
    await this.#serving;
    await this.#world[Symbol.asyncDispose]();
    if (!isLinux) return;
    await waitFor(
      "all descriptors to be closed",
      () => descriptors() <= this.#before || undefined,
    );
  }
}

function descriptors(): number {
  return openDescriptors("pipe").length + openDescriptors("socket").length;
}

function closing(connection: Deno.Conn): Disposable {
  return {
    [Symbol.dispose]() {
      try {
        connection.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    },
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Sends the stream, and takes as much. */
const exchangeStreams: Handler = async (receiver, connection) => {
  await Promise.all([
    sendStream(connection, LENGTH),
    receiver.expect(LENGTH),
  ]);
};

/** Answers each request with so much of the stream, after it has taken the request's body. */
function answerWith(length: number): Handler {
  return async (receiver, connection) => {
    while (true) {
      const head = await receiver.head().catch(() => undefined);
      if (head === undefined) return;
      const body = /content-length: (\d+)/i.exec(head)?.[1];
      if (body !== undefined) await receiver.expect(Number(body));
      await writeAll(connection, answerHead(length));
      await sendStream(connection, length);
    }
  };
}

function answerHead(length: number): Uint8Array {
  const text = `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
  return new TextEncoder().encode(text);
}

Deno.test("much goes through a tunnel unchanged, both ways at once, and so does the end of each", async () => {
  await using place = new Place(async (receiver, connection) => {
    await exchangeStreams(receiver, connection);
    assert.equal(await receiver.next(1), undefined);
    await writeAll(connection, new TextEncoder().encode("end"));
    await connection.closeWrite();
  });
  const client = await place.tunnel();
  await Promise.all([
    sendStream(client.connection, LENGTH),
    client.expect(LENGTH),
  ]);
  await (client.connection as Deno.TcpConn).closeWrite();
  const rest = await client.hash(Infinity);
  assert.equal(rest.count, 3);
  assert.deepEqual(place.failures, []);
});

Deno.test("bodies of plain http that are long end where they end, both ways, on one connection", async () => {
  await using place = new Place(answerWith(LENGTH));
  const client = await place.connect();
  const url = `http://${place.authority}/`;
  for (let count = 0; count < 3; count++) {
    // The next request stands right behind this one's body.
    const fields = `Content-Length: ${LENGTH}\r\n`;
    const sending = place.ask(client, `POST ${url}`, fields).then(async () => {
      await sendStream(client.connection, LENGTH);
      await place.ask(client, `GET ${url}`);
    });
    for (let answer = 0; answer < 2; answer++) {
      assert.match(await client.head(), /^HTTP\/1\.1 200 /);
      await client.expect(LENGTH);
    }
    await sending;
  }
  assert.deepEqual(place.failures, []);
});

Deno.test(
  "who reads slowly gets all of it, and the kernel copies it",
  linux,
  async () => {
    await using place = new Place(answerWith(LENGTH));
    const client = await place.connect(48 * 1024);
    const before = openDescriptors("pipe").length;
    let most = 0;
    let pieces = 0;
    await place.ask(client, `GET http://${place.authority}/`);
    await client.head();
    await client.expect(LENGTH, async () => {
      most = Math.max(most, openDescriptors("pipe").length - before);
      if (++pieces % 8 === 0) await nextTurn();
    });
    // Else all of this tests nothing.
    assert.equal(most, 2);
  },
);

Deno.test("a transfer without an end leaves others their turn", async () => {
  await using place = new Place(async (receiver, connection) => {
    const text = await receiver.next(1);
    if (text?.[0] !== 33) return await writeAll(connection, text!);
    await sendStream(connection, Infinity);
  });
  const endless = await place.tunnel();
  await writeAll(endless.connection, new TextEncoder().encode("!"));
  let isOver = false;
  const reading = endless.hash(
    Infinity,
    () => isOver ? Promise.reject(new Error("over")) : Promise.resolve(),
  );
  const stopped = assert.rejects(reading, /over/);
  for (let count = 0; count < 10; count++) {
    const other = await place.tunnel();
    await writeAll(other.connection, new TextEncoder().encode("?"));
    assert.deepEqual(await other.next(1), new TextEncoder().encode("?"));
    other.connection.close();
  }
  isOver = true;
  await stopped;
});

Deno.test("a client that goes away in the middle ends the transfer", async () => {
  await using place = new Place(async (_receiver, connection) => {
    await sendStream(connection, Infinity);
  });
  const client = await place.tunnel();
  await client.hash(8 * MB);
  client.connection.close();
  await waitFor("the server to hear", () => place.failures[0]);
});

Deno.test("a server that goes away in the middle does not look like one that is done", async () => {
  await using place = new Place(async (receiver, connection) => {
    await receiver.head();
    await writeAll(connection, answerHead(2 * LENGTH));
    await sendStream(connection, LENGTH);
    // With something left unread that breaks the connection off.
    connection.close();
  });
  for (const body of ["", "unread ".repeat(10_000)]) {
    const client = await place.connect();
    const fields = `Content-Length: ${body.length}\r\n`;
    await place.ask(client, `POST http://${place.authority}/`, fields);
    await writeAll(client.connection, new TextEncoder().encode(body));
    await client.head();
    const got = await client.hash(Infinity).catch((error) => {
      assert.ok(error instanceof Deno.errors.ConnectionReset);
      return { count: 0, hash: "" };
    });
    if (body !== "") continue;
    assert.equal(got.count, LENGTH);
    assert.equal(got.hash, streamHash(LENGTH));
  }
});

Deno.test("more transfers at once than there are large buffers", async () => {
  const length = LENGTH / 4 | 0;
  await using place = new Place(answerWith(length));
  const url = `http://${place.authority}/`;
  await Promise.all(Array.from({ length: 40 }, async () => {
    const client = await place.connect();
    await place.ask(client, `GET ${url}`);
    await client.head();
    await client.expect(length);
    client.connection.close();
  }));
  assert.deepEqual(place.failures, []);
});

Deno.test(
  "a tunnel that is quiet after much keeps nothing for it, and goes on",
  linux,
  async () => {
    await using place = new Place(async (receiver, connection) => {
      while (await receiver.next(1) !== undefined) {
        await sendStream(connection, LENGTH);
      }
    });
    const client = await place.tunnel(48 * 1024);
    for (let count = 0; count < 2; count++) {
      let most = 0;
      await writeAll(client.connection, new TextEncoder().encode("?"));
      await client.expect(LENGTH, async () => {
        most = Math.max(most, openDescriptors("pipe").length);
        await Promise.resolve();
      });
      await waitFor(
        "the pipe to be given back",
        () => openDescriptors("pipe").length < most || undefined,
      );
    }
    assert.deepEqual(place.failures, []);
  },
);

Deno.test(
  "a kernel that does not join sockets costs nothing but time",
  linux,
  async () => {
    await using place = new Place(async (receiver, connection) => {
      refuseSplices();
      await exchangeStreams(receiver, connection);
    });
    const client = await place.tunnel();
    await Promise.all([
      sendStream(client.connection, LENGTH),
      client.expect(LENGTH),
    ]);
    client.connection.close();
    assert.deepEqual(place.failures, []);
  },
);

/** A file that is only appended to cannot be the target of splice(2). The flag means nothing else to a socket. */
function refuseSplices(): void {
  const [F_GETFL, F_SETFL, O_APPEND] = [3, 4, 0o2000];
  for (const name of openDescriptors("socket")) {
    const flags = syscall("fcntl", Number(name), F_GETFL);
    syscall("fcntl", Number(name), F_SETFL, flags | O_APPEND);
  }
}
