import assert from "node:assert/strict";
import {
  ProxyWorld,
  type RawClient,
  RawServer,
} from "../../../tests/support/proxy_world.ts";

const GREETING = "\x05\x01\x02";

function sized(text: string): string {
  return String.fromCharCode(text.length) + text;
}

function port(number: number): string {
  return String.fromCharCode(number >> 8, number & 255);
}

/** A client that has shown the credential. */
async function greeted(world: ProxyWorld): Promise<RawClient> {
  const client = await world.connect();
  const { user, password } = world.proxy.credential;
  await client.send(`${GREETING}\x01${sized(user)}${sized(password)}`);
  assert.equal(await client.until("\x05\x02\x01\0"), "\x05\x02\x01\0");
  client.text = "";
  return client;
}

/** The code of the answer to one request. */
async function ask(world: ProxyWorld, request: string): Promise<number> {
  using client = await greeted(world);
  await client.send(request);
  await client.until("\0\0\0\0\0\0");
  return client.text.charCodeAt(1);
}

Deno.test("SOCKS carries bytes to a name, and to an address in each form", async () => {
  await using server = new RawServer(async (client) => {
    await client.until("ping");
    await client.send("pong");
  });
  await using world = new ProxyWorld([`localhost:${server.port}`]);
  const mapped = "\0".repeat(10) + "\xff\xff\x7f\0\0\x01";
  for (
    const address of [
      "\x03" + sized("localhost"),
      "\x03" + sized("127.0.0.1"),
      "\x01\x7f\0\0\x01",
      "\x04" + mapped,
    ]
  ) {
    using client = await greeted(world);
    await client.send(`\x05\x01\0${address}${port(server.port)}ping`);
    const text = await client.until("pong");
    assert.equal(text, "\x05\0\0\x01\0\0\0\0\0\0pong");
  }
  assert.ok(world.events.every(({ protocol }) => protocol === "socks"));
});

Deno.test("SOCKS without the credential, or with a wrong one, ends before anything is asked", async () => {
  await using world = new ProxyWorld(["a.test"]);
  const { user, password } = world.proxy.credential;
  const attempts: readonly (readonly [string, string])[] = [
    ["\x05\x01\0", "\x05\xff"],
    ["\x05\0", "\x05\xff"],
    [`${GREETING}\x01${sized(user)}${sized("x")}`, "\x05\x02\x01\x01"],
    [`${GREETING}\x01${sized("x")}${sized(password)}`, "\x05\x02\x01\x01"],
    [`${GREETING}\x01\0\0`, "\x05\x02\x01\x01"],
    ["\x04\x01\0\x50\x08\x08\x08\x08\0", "HTTP"],
  ];
  for (const [sent, answer] of attempts) {
    using client = await world.connect();
    await client.send(sent);
    if (sent.startsWith("\x04")) await client.connection.closeWrite();
    assert.equal((await client.end()).slice(0, 4), answer.slice(0, 4));
  }
  assert.deepEqual(world.lookUps, []);
  const reasons = world.events.map(({ reason }) => reason);
  assert.deepEqual(reasons, ["credential", "credential", "credential"]);
});

Deno.test("SOCKS refuses what CONNECT refuses, a NUL in a name above all", async () => {
  await using world = new ProxyWorld(["a.test", "*.a.test"], {
    names: { "x.a.test": [["10.0.0.1"]] },
  });
  const https = port(443);
  const refused = [
    "\x03" + sized("evil.test\0.a.test"),
    "\x03" + sized("evil.test%00.a.test"),
    "\x03" + sized("evil.test"),
    "\x03" + sized("\xff\xfe.a.test"),
    "\x03" + sized(""),
    "\x03" + sized("x.a.test"),
    "\x03" + sized("127.1"),
    "\x01\x7f\0\0\x01",
    "\x01\x0a\0\0\x01",
    "\x01\xa9\xfe\xa9\xfe",
    "\x04" + "\0".repeat(15) + "\x01",
    "\x04" + "\0".repeat(10) + "\xff\xff\x0a\0\0\x01",
  ];
  for (const address of refused) {
    const code = await ask(world, `\x05\x01\0${address}${https}`);
    assert.equal(code, 2, JSON.stringify(address));
  }
  assert.deepEqual(world.lookUps, ["x.a.test"]);
  assert.equal(world.events.length, refused.length);
});

Deno.test("SOCKS says what it cannot do", async () => {
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const closed = free.addr.port;
  free.close();
  await using world = new ProxyWorld(["a.test", `localhost:${closed}`]);
  const name = "\x03" + sized("a.test") + port(443);
  assert.equal(await ask(world, "\x05\x02\0" + name), 7);
  assert.equal(await ask(world, "\x05\x03\0" + name), 7);
  assert.equal(await ask(world, "\x05\x01\0\x09"), 8);
  assert.equal(await ask(world, "\x05\x01\0" + name), 4);
  const local = "\x03" + sized("localhost") + port(closed);
  assert.equal(await ask(world, "\x05\x01\0" + local), 5);
});
