import assert from "node:assert/strict";
import { ProxyWorld, RawServer } from "../../../tests/support/proxy_world.ts";
import { waitFor } from "../../../tests/support/process.ts";

/** Takes connections and says nothing until it is told to. */
function silent(): RawServer {
  return new RawServer();
}

Deno.test("a proxy refuses everything without the credential, and says that it wants one", async () => {
  await using server = silent();
  await using world = new ProxyWorld([`localhost:${server.port}`]);
  const line = `CONNECT localhost:${server.port} HTTP/1.1\r\n`;
  const password = world.proxy.credential.password;
  const headers = [
    "",
    "Proxy-Authorization: Basic YWVudjp4\r\n",
    "Proxy-Authorization: Bearer x\r\n",
    "Proxy-Authorization: Basic ====\r\n",
    `Proxy-Authorization: Basic ${btoa(`aenv:${password}0`)}\r\n`,
    `Proxy-Authorization: Basic ${btoa(`aenv:${password.slice(1)}`)}\r\n`,
    `Proxy-Authorization: Basic ${btoa(`other:${password}`)}\r\n`,
  ];
  for (const header of headers) {
    using client = await world.connect();
    await client.send(`${line}${header}\r\n`);
    const text = await client.until("\r\n\r\n");
    assert.match(text, /^HTTP\/1\.1 407 /);
    assert.match(text, /Proxy-Authenticate: Basic realm="aenv"/);
    await client.until("missing or wrong\n");
    // Programs that only answer when they are asked do so on the same connection.
    client.text = "";
    await client.send(`${line}${world.authorization}\r\n`);
    assert.match(await client.until("\r\n\r\n"), /^HTTP\/1\.1 200 /);
  }
  assert.equal(server.connections.length, headers.length);
  const refused = world.events.filter(({ decision }) => decision === "refused");
  assert.equal(refused.length, headers.length);
  assert.ok(refused.every(({ reason }) => reason === "credential"));
});

Deno.test("two proxies do not take each other's credential", async () => {
  await using one = new ProxyWorld([]);
  await using other = new ProxyWorld([]);
  assert.notEqual(
    one.proxy.credential.password,
    other.proxy.credential.password,
  );
  using client = await one.connect();
  await client.send(
    `CONNECT a.test:443 HTTP/1.1\r\n${other.authorization}\r\n`,
  );
  assert.match(await client.until("\r\n"), / 407 /);
});

Deno.test("CONNECT carries bytes both ways, what was sent too early included", async () => {
  await using server = new RawServer(async (client) => {
    await client.until("early");
    await client.send("answer");
    await client.until("late");
  });
  await using world = new ProxyWorld([`localhost:${server.port}`]);
  using client = await world.connect();
  await client.send(
    `CONNECT localhost:${server.port} HTTP/1.1\r\n${world.authorization}\r\nearly`,
  );
  const text = await client.until("answer");
  assert.match(text, /^HTTP\/1\.1 200 [^\r]*\r\n\r\nanswer$/);
  await client.send("late");
  await waitFor(
    "late",
    () => server.connections[0]!.text === "earlylate" || undefined,
  );
  assert.deepEqual(world.decisions, [`allowed localhost:${server.port}`]);
  const [event] = world.events;
  assert.equal(event!.protocol, "connect");
  assert.equal(event!.rule, `localhost:${server.port}`);
  assert.ok(Math.abs(event!.time - Date.now()) < 60_000);
});

Deno.test("a tunnel goes on in one direction when the other one has ended", async () => {
  await using server = new RawServer(async (client) => {
    assert.equal(await client.end(), "question");
    await client.send("answer");
    await client.connection.closeWrite();
  });
  await using world = new ProxyWorld([`localhost:${server.port}`]);
  using client = await world.connect();
  await client.send(
    `CONNECT localhost:${server.port} HTTP/1.1\r\n${world.authorization}\r\n`,
  );
  await client.until("\r\n\r\n");
  await client.send("question");
  await client.connection.closeWrite();
  assert.match(await client.end(), /\r\n\r\nanswer$/);
  assert.deepEqual(server.failures, []);
});

Deno.test("a tunnel's other end is closed when a client vanishes", async () => {
  await using server = new RawServer(async (client) => {
    await client.send("x".repeat(1000));
  });
  await using world = new ProxyWorld([`localhost:${server.port}`]);
  {
    using client = await world.connect();
    await client.send(
      `CONNECT localhost:${server.port} HTTP/1.1\r\n${world.authorization}\r\n`,
    );
    await client.until("x");
  }
  await server.connections[0]!.end();
});

Deno.test("a tunnel carries much data unchanged in both directions at once", async () => {
  const bytes = new Uint8Array(8 * 1024 * 1024);
  for (let at = 0; at < bytes.length; at += 65536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65536));
  }
  const digest = async (data: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", data)).toHex();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const echoed = (async () => {
    const connection = await listener.accept();
    const buffer = new Uint8Array(100_000);
    for (let count; (count = await connection.read(buffer)) !== null;) {
      await writeAll(connection, buffer.subarray(0, count));
    }
    connection.close();
  })();
  const { port } = listener.addr;
  await using world = new ProxyWorld([`localhost:${port}`]);
  const client = await Deno.connect({
    hostname: "127.0.0.1",
    port: world.port,
  });
  const head =
    `CONNECT localhost:${port} HTTP/1.1\r\n${world.authorization}\r\n`;
  await writeAll(client, new TextEncoder().encode(head));
  const line = new Uint8Array(200);
  const count = await client.read(line);
  const answer = new TextDecoder().decode(line.subarray(0, count!));
  assert.match(answer, /^HTTP\/1.1 200 .*\r\n\r\n$/s);
  const sent = writeAll(client, bytes).then(() => client.closeWrite());
  const back = new Uint8Array(
    await new Response(client.readable).arrayBuffer(),
  );
  await Promise.all([sent, echoed]);
  listener.close();
  assert.equal(await digest(back), await digest(bytes));
});

Deno.test("the answer to a refused CONNECT names the host, the rule's place and what to add, in its first line too", async () => {
  await using world = new ProxyWorld(["b.test:22"]);
  for (
    const [target, entry] of [
      ["evil.test:443", "evil.test"],
      ["evil.test:8443", "evil.test:8443"],
      ["b.test:443", "b.test"],
      ["10.1.2.3:443", "10.1.2.3"],
      ["[fd00::1]:22", "[fd00::1]:22"],
    ] as const
  ) {
    using client = await world.connect();
    await client.send(
      `CONNECT ${target} HTTP/1.1\r\n${world.authorization}\r\n`,
    );
    const text = await client.end();
    assert.match(text, /^HTTP\/1\.1 403 [\x20-\x7e]*network\.allow\r\n/);
    assert.ok(text.includes(`: ${entry} is not in`), text);
    const host = target.replace(/:[0-9]+$/, "").replace(/[[\]]/g, "");
    assert.ok(text.includes(`Cannot connect to "${host}"`), text);
    assert.ok(text.includes(`add "${entry}" to network.allow`), text);
    assert.ok(text.includes('"/home/me/project/aenv.toml"'), text);
  }
  assert.equal(world.lookUps.length, 0);
});

Deno.test("hosts that are not what they seem are refused and never looked up", async () => {
  await using world = new ProxyWorld(["a.test", "*.a.test"], {
    names: { "evil.test": [["127.0.0.1"]] },
  });
  for (
    const target of [
      "evil.test\0.a.test:443",
      "evil.test%00.a.test:443",
      "evil.test@a.test:443",
      "a.test@evil.test:443",
      "a.test:443@evil.test:443",
      "a.test..:443",
      "evil.test#.a.test:443",
      "evil.test/.a.test:443",
      "[::ffff:127.0.0.1]:443",
      "0x7f000001:443",
      "2130706433:443",
      "0:443",
      "localhost:443",
      "x.localhost:443",
      "169.254.169.254:80",
      "a.test:0",
      "a.test:65536",
      "a.test:+443",
      "a.test",
      "a.test:443:443",
      "https://a.test:443",
    ]
  ) {
    using client = await world.connect();
    await client.send(
      `CONNECT ${target} HTTP/1.1\r\n${world.authorization}\r\n`,
    );
    assert.match(await client.end(), /^HTTP\/1\.1 40[03] /, target);
  }
  assert.deepEqual(world.lookUps, []);
});

Deno.test("a trailing dot and capitals change nothing", async () => {
  await using server = silent();
  const rule = `a.test:${server.port}`;
  await using world = new ProxyWorld([rule, `localhost:${server.port}`], {
    names: { "a.test": [["127.0.0.1"]] },
  });
  using client = await world.connect();
  await client.send(
    `CONNECT A.TEST.:${server.port} HTTP/1.1\r\n${world.authorization}\r\n`,
  );
  assert.match(await client.until("\r\n\r\n"), / 200 /);
  assert.deepEqual(world.lookUps, ["a.test"]);
  assert.equal(world.events[0]!.rule, rule);
});

Deno.test("a name is looked up once for each connection, and the address that was checked is the one connected to", async () => {
  await using server = silent();
  const { port } = server;
  // A server that rebinds: the second answer is somewhere else.
  const rules = [`a.test:${port}`, `localhost:${port}`];
  await using world = new ProxyWorld(rules, {
    names: { "a.test": [["127.0.0.1"], ["10.0.0.1"]] },
  });
  for (const status of [200, 403]) {
    using client = await world.connect();
    await client.send(
      `CONNECT a.test:${port} HTTP/1.1\r\n${world.authorization}\r\n`,
    );
    const text = await client.until("\r\n\r\n");
    assert.match(text, new RegExp(`^HTTP/1.1 ${status} `));
  }
  assert.equal(world.lookUps.length, 2);
  assert.equal(server.connections.length, 1);
  assert.deepEqual(world.events.map(({ addresses }) => addresses), [
    ["127.0.0.1"],
    ["10.0.0.1"],
  ]);
});

Deno.test("one private address among a name's answers is enough to refuse it", async () => {
  await using server = silent();
  const { port } = server;
  const bad = [
    "10.0.0.1",
    "::1",
    "::ffff:10.0.0.1",
    "169.254.169.254",
    "fe80::1%2",
  ];
  for (const address of bad) {
    await using world = new ProxyWorld([`a.test:${port}`], {
      names: { "a.test": [["8.8.8.8", address]] },
    });
    using client = await world.connect();
    await client.send(
      `CONNECT a.test:${port} HTTP/1.1\r\n${world.authorization}\r\n`,
    );
    const text = await client.end();
    assert.match(text, /^HTTP\/1\.1 403 /, address);
    assert.match(text, /it leads to /);
    assert.deepEqual(world.decisions, [`refused a.test:${port} address`]);
  }
});

Deno.test("a name may lead to an address that is granted, and no further", async () => {
  await using server = silent();
  const { port } = server;
  await using world = new ProxyWorld([`a.test:*`, `localhost:${port}`], {
    names: { "a.test": [["127.0.0.1"]] },
  });
  for (const [wanted, status] of [[port, 200], [port === 1 ? 2 : 1, 403]]) {
    using client = await world.connect();
    await client.send(
      `CONNECT a.test:${wanted} HTTP/1.1\r\n${world.authorization}\r\n`,
    );
    assert.match(
      await client.until("\r\n"),
      new RegExp(`^HTTP/1.1 ${status} `),
    );
  }
});

Deno.test("a host that is allowed and does not answer is a gateway's error, not a refusal", async () => {
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr;
  free.close();
  await using world = new ProxyWorld([`localhost:${port}`, "a.test"]);
  for (const target of [`localhost:${port}`, "a.test:443"]) {
    using client = await world.connect();
    await client.send(
      `CONNECT ${target} HTTP/1.1\r\n${world.authorization}\r\n`,
    );
    const text = await client.end();
    assert.match(text, /^HTTP\/1\.1 502 /);
    assert.match(text, /refused\n$|no such host\n$/);
  }
});

Deno.test("connections that say nothing, or too much, are closed", async () => {
  await using hasty = new ProxyWorld([], { limits: { headMs: 100 } });
  using quiet = await hasty.connect();
  await quiet.end();
  await using world = new ProxyWorld([], {
    limits: { headBytes: 1000, connections: 2 },
  });
  using long = await world.connect();
  await long.send("GET / HTTP/1.1\r\nX: " + "x".repeat(2000));
  assert.match(await long.end(), /^HTTP\/1\.1 400 /);
  await waitFor("both to be gone", async () => {
    using one = await world.connect();
    using two = await world.connect();
    using three = await world.connect();
    await three.end();
    return one.isEnded || two.isEnded ? undefined : true;
  });
});

Deno.test("a request that comes byte by byte is given up, the first one and the next", async () => {
  await using server = silent();
  await using world = new ProxyWorld([`localhost:${server.port}`], {
    limits: { headMs: 1000 },
  });
  for (const before of ["", `GET / HTTP/1.1\r\n\r\n`]) {
    using client = await world.connect();
    await client.send(before);
    if (before !== "") await client.until("missing or wrong\n");
    await client.send("GET http://a.test/");
    // Well before it would have been idle for long.
    await waitFor("the end", async () => {
      const sent = await client.send("x").catch(() => "closed");
      return client.isEnded || sent === "closed" || undefined;
    });
  }
});

Deno.test("close() ends what is open", async () => {
  await using server = silent();
  const world = new ProxyWorld([`localhost:${server.port}`]);
  using client = await world.connect();
  await client.send(
    `CONNECT localhost:${server.port} HTTP/1.1\r\n${world.authorization}\r\n`,
  );
  await client.until("\r\n\r\n");
  await world.proxy.close();
  await client.end();
  await server.connections[0]!.end();
  await assert.rejects(() => world.connect(), Deno.errors.ConnectionRefused);
});

async function writeAll(
  connection: Deno.TcpConn,
  bytes: Uint8Array,
): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    done += await connection.write(bytes.subarray(done));
  }
}
