import assert from "node:assert/strict";
import { lookUp } from "./dns.ts";
import {
  connectTcp,
  interfaceAddresses,
  isHangUp,
  listenLoopback,
} from "./sockets.ts";
import { within } from "./timers.ts";

Deno.test("listenLoopback() and connectTcp() make connections that end in one direction at a time", async () => {
  const listener = listenLoopback();
  const accepted = listener.accept();
  const made = await connectTcp({ address: "127.0.0.1", port: listener.port }, {
    timeoutMs: 5000,
  });
  assert.ok(made.ok);
  const { value: server } = await accepted.next();
  const client = made.connection;
  await client.write(new TextEncoder().encode("ask"));
  await client.closeWrite();
  const buffer = new Uint8Array(10);
  assert.equal(await server!.read(buffer), 3);
  assert.equal(await server!.read(buffer), null);
  await server!.write(new TextEncoder().encode("answer"));
  assert.equal(await client.read(buffer), 6);
  const pending = client.read(buffer);
  client.close();
  client.close();
  await assert.rejects(pending, isHangUp);
  await assert.rejects(client.write(buffer), isHangUp);
  server!.close();
  const next = accepted.next();
  listener.close();
  assert.equal((await next).done, true);
});

Deno.test("close() ends a write that waits for the other end", async () => {
  const listener = listenLoopback();
  const accepted = listener.accept();
  const made = await connectTcp({ address: "127.0.0.1", port: listener.port }, {
    timeoutMs: 5000,
  });
  assert.ok(made.ok);
  const { value: server } = await accepted.next();
  const piece = new Uint8Array(1024 * 1024);
  const writing = (async () => {
    while (true) await made.connection.write(piece);
  })();
  assert.equal(await within(writing.catch(String), 200), undefined);
  made.connection.close();
  await assert.rejects(writing, isHangUp);
  server!.close();
  listener.close();
  await accepted.return(undefined);
});

Deno.test("connectTcp() says why there is no connection", async () => {
  const listener = listenLoopback();
  const { port } = listener;
  listener.close();
  const target = { address: "127.0.0.1", port };
  assert.deepEqual(await connectTcp(target, { timeoutMs: 5000 }), {
    ok: false,
    problem: "refused",
  });
  const signal = AbortSignal.abort();
  assert.deepEqual(await connectTcp(target, { timeoutMs: 5000, signal }), {
    ok: false,
    problem: "aborted",
  });
});

Deno.test("lookUp() knows this machine, and gives nothing for a name that nobody has", async () => {
  const addresses = await lookUp("localhost");
  assert.ok(addresses.includes("127.0.0.1") || addresses.includes("::1"));
  assert.deepEqual(await lookUp("no-such-name.invalid"), []);
});

Deno.test("interfaceAddresses() holds this machine's own", () => {
  assert.ok(interfaceAddresses().includes("127.0.0.1"));
});

Deno.test("within() gives up after its time, and not before", async () => {
  assert.equal(await within(Promise.resolve(1), 10_000), 1);
  assert.equal(await within(new Promise(() => {}), 1), undefined);
  await assert.rejects(
    within(Promise.reject(new RangeError()), 10_000),
    RangeError,
  );
});
