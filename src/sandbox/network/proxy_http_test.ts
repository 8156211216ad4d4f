import assert from "node:assert/strict";
import {
  ProxyWorld,
  type RawClient,
  RawServer,
} from "../../../tests/support/proxy_world.ts";
import { waitFor } from "../../../tests/support/process.ts";

/** Takes the next head from what a client has sent. */
async function takeHead(client: RawClient): Promise<string> {
  await client.until("\r\n\r\n");
  const end = client.text.indexOf("\r\n\r\n") + 4;
  const head = client.text.slice(0, end);
  client.text = client.text.slice(end);
  return head;
}

/** A server that answers its n-th request with the n-th text, and keeps what it was sent. */
class Script extends RawServer {
  readonly heads: string[] = [];

  constructor(...answers: readonly string[]) {
    const heads: string[] = [];
    let count = 0;
    super(async (client) => {
      while (count < answers.length) {
        const head = await takeHead(client);
        heads.push(head);
        await client.send(answers[count++]!);
      }
    });
    this.heads = heads;
  }
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A request for the server's address, with the credential. */
function get(
  world: ProxyWorld,
  url: string,
  { method = "GET", headers = "", version = "1.1", host = "x" } = {},
): string {
  return `${method} ${url} HTTP/${version}\r\nHost: ${host}\r\n${world.authorization}${headers}\r\n`;
}

function worldFor(server: RawServer, more: readonly string[] = []): ProxyWorld {
  return new ProxyWorld([`localhost:${server.port}`, ...more], {
    names: { "a.test": [["127.0.0.1"]] },
  });
}

Deno.test("a request for a whole address is passed on as one for a path, to the host of the address", async () => {
  await using server = new Script(OK);
  await using world = worldFor(server);
  using client = await world.connect();
  const headers =
    "X-Mine: 1\r\nConnection: keep-alive, x-hop\r\nX-Hop: 2\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: keep-alive\r\n";
  const url = `http://localhost:${server.port}/path?q=1`;
  await client.send(get(world, url, { headers, host: "elsewhere.test" }));
  const text = await client.until("ok");
  assert.equal(
    server.heads[0],
    `GET /path?q=1 HTTP/1.1\r\nHost: localhost:${server.port}\r\nX-Mine: 1\r\n\r\n`,
  );
  assert.equal(
    text,
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
  );
  assert.deepEqual(world.decisions, [`allowed localhost:${server.port}`]);
  assert.equal(world.events[0]!.protocol, "http");
});

Deno.test("addresses of all forms come out as what the server expects", async () => {
  const forms: readonly (readonly [string, string, string])[] = [
    ["GET", "", "GET / HTTP/1.1"],
    ["GET", "/", "GET / HTTP/1.1"],
    ["GET", "?q", "GET /?q HTTP/1.1"],
    ["GET", "//b@c:80/d", "GET //b@c:80/d HTTP/1.1"],
    ["OPTIONS", "", "OPTIONS * HTTP/1.1"],
  ];
  await using server = new Script(...forms.map(() => OK));
  await using world = worldFor(server);
  for (const [method, path, line] of forms) {
    using client = await world.connect();
    const url = `HTTP://LOCALHOST.:${server.port}${path}`;
    await client.send(get(world, url, { method }));
    await client.until("ok");
    const head = server.heads.at(-1)!;
    assert.ok(head.startsWith(`${line}\r\nHost: localhost:`), head);
  }
});

Deno.test("several requests go over one connection, those that are sent ahead too", async () => {
  await using server = new Script(OK, OK, OK);
  await using world = worldFor(server);
  using client = await world.connect();
  const url = `http://localhost:${server.port}/`;
  await client.send(
    get(world, url + 1) + get(world, url + 2) + get(world, url + 3),
  );
  const count = () => client.text.split("\r\n\r\nok").length - 1;
  await waitFor("three answers", () => count() === 3 || undefined);
  assert.deepEqual(
    server.heads.map((head) => head.split(" ")[1]),
    ["/1", "/2", "/3"],
  );
  // The connection behind the proxy is used again as well.
  assert.equal(server.connections.length, 1);
});

Deno.test("another host in the same connection is decided on its own", async () => {
  await using server = new Script(OK);
  await using world = worldFor(server);
  using client = await world.connect();
  await client.send(get(world, `http://localhost:${server.port}/`));
  await client.until("ok");
  await client.send(get(world, "http://evil.test/"));
  assert.match(await client.end(), /HTTP\/1\.1 403 /);
  assert.deepEqual(world.decisions.at(-1), "refused evil.test:80 not-listed");
});

Deno.test("a server that closes between two requests costs nothing", async () => {
  await using server = new RawServer(async (client) => {
    await takeHead(client);
    await client.send(OK);
    client[Symbol.dispose]();
  });
  await using world = worldFor(server);
  using client = await world.connect();
  for (const _ of [1, 2, 3]) {
    client.text = "";
    await client.send(get(world, `http://localhost:${server.port}/`));
    assert.match(await client.until("ok"), /^HTTP\/1\.1 200 /);
  }
});

Deno.test("bodies of every kind arrive whole, in both directions", async () => {
  await using server = new RawServer(async (client) => {
    await client.until("END");
    await client.send(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3\r\nabc\r\n",
    );
    await client.send("A;x=y\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n");
  });
  const bodies: readonly (readonly [string, string])[] = [
    ["Content-Length: 6\r\n", "bodEND"],
    ["Transfer-Encoding: chunked\r\n", "3\r\nbod\r\n3;a=b\r\nEND\r\n0\r\n\r\n"],
  ];
  for (const [headers, body] of bodies) {
    await using world = worldFor(server);
    using client = await world.connect();
    const url = `http://localhost:${server.port}/`;
    await client.send(get(world, url, { method: "POST", headers }));
    for (const character of body) await client.send(character);
    const text = await client.until("X-T: 1\r\n\r\n");
    assert.ok(
      text.includes("\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n"),
    );
    const received = server.connections.at(-1)!.text;
    assert.ok(received.endsWith("\r\n\r\n" + body), received);
  }
});

Deno.test("an answer without a length ends with its connection", async () => {
  await using server = new RawServer(async (client) => {
    await takeHead(client);
    await client.send("HTTP/1.0 200 OK\r\n\r\nall of it");
    client[Symbol.dispose]();
  });
  await using world = worldFor(server);
  using client = await world.connect();
  await client.send(get(world, `http://localhost:${server.port}/`));
  const text = await client.end();
  assert.match(
    text,
    /^HTTP\/1\.1 200 OK\r\nConnection: close\r\n\r\nall of it$/,
  );
});

Deno.test("answers that have no body are taken to have none", async () => {
  const long = "Content-Length: 99\r\n\r\n";
  await using server = new Script(
    `HTTP/1.1 200 OK\r\n${long}`,
    `HTTP/1.1 304 Not Modified\r\n${long}`,
    "HTTP/1.1 204 No Content\r\n\r\n",
    OK,
  );
  await using world = worldFor(server);
  using client = await world.connect();
  const url = `http://localhost:${server.port}/`;
  await client.send(get(world, url, { method: "HEAD" }));
  await client.send(get(world, url) + get(world, url) + get(world, url));
  await client.until("\r\n\r\nok");
  assert.equal(server.heads.length, 4);
});

Deno.test("interim answers are passed on, and a client that waits for one gets it before it sends its body", async () => {
  await using server = new RawServer(async (client) => {
    await takeHead(client);
    await client.send("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n");
    await client.send("HTTP/1.1 100 Continue\r\n\r\n");
    await client.until("body");
    await client.send(OK);
  });
  await using world = worldFor(server);
  using client = await world.connect();
  const headers = "Content-Length: 4\r\nExpect: 100-continue\r\n";
  const url = `http://localhost:${server.port}/`;
  await client.send(get(world, url, { method: "PUT", headers }));
  await client.until("HTTP/1.1 100 Continue\r\n\r\n");
  await client.send("body");
  const text = await client.until("ok");
  assert.ok(text.startsWith("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"));
});

Deno.test("a server that answers before it has read the request is heard, and the connection ends", async () => {
  await using server = new RawServer(async (client) => {
    await takeHead(client);
    await client.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
  });
  await using world = worldFor(server);
  using client = await world.connect();
  const headers = "Content-Length: 1000000\r\n";
  const url = `http://localhost:${server.port}/`;
  await client.send(get(world, url, { method: "POST", headers }) + "start");
  assert.match(await client.end(), /^HTTP\/1\.1 413 .*\r\n\r\nbig$/s);
});

Deno.test("a change of protocol becomes a tunnel, when the client asked for it", async () => {
  const switching =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst";
  await using server = new RawServer(async (client) => {
    const head = await takeHead(client);
    await client.send(switching);
    if (!head.includes("Connection: Upgrade\r\nUpgrade: websocket\r\n")) return;
    await client.until("ping");
    await client.send("pong");
  });
  await using world = worldFor(server);
  const url = `http://localhost:${server.port}/`;
  using client = await world.connect();
  const headers = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  await client.send(get(world, url, { headers }));
  assert.match(
    await client.until("first"),
    /^HTTP\/1\.1 101 .*Upgrade: websocket/s,
  );
  await client.send("ping");
  await client.until("pong");
  using other = await world.connect();
  await other.send(get(world, url));
  assert.match(await other.end(), /^HTTP\/1\.1 502 /);
});

Deno.test("requests that two programs could read in two ways are refused and reach nobody", async () => {
  await using server = new Script(OK);
  await using world = worldFor(server);
  const to = `http://localhost:${server.port}/`;
  const { authorization } = world;
  const requests = [
    `POST ${to} HTTP/1.1\r\n${authorization}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `POST ${to} HTTP/1.1\r\n${authorization}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`,
    `POST ${to} HTTP/1.1\r\n${authorization}Content-Length: +1\r\n\r\n`,
    `POST ${to} HTTP/1.1\r\n${authorization}Content-Length: 1, 1\r\n\r\n`,
    `POST ${to} HTTP/1.1\r\n${authorization}Transfer-Encoding: xchunked\r\n\r\n`,
    `POST ${to} HTTP/1.1\r\n${authorization}Transfer-Encoding: gzip, chunked\r\n\r\n`,
    `POST ${to} HTTP/1.0\r\n${authorization}Transfer-Encoding: chunked\r\n\r\n`,
    `GET ${to} HTTP/1.1\r\n${authorization}Host: a\r\nHost: b\r\n\r\n`,
    `GET ${to} HTTP/1.1\r\n${authorization}X : 1\r\n\r\n`,
    `GET ${to} HTTP/1.1\r\n${authorization}X: 1\r\n folded\r\n\r\n`,
    `GET ${to} HTTP/1.1\r\n${authorization}X: a\0b\r\n\r\n`,
    `GET ${to} HTTP/1.1\r\n${authorization}X: a\nY: b\r\n\r\n`,
    `GET ${to} HTTP/1.1\r\n${authorization}X: a\rY: b\r\n\r\n`,
    `GET ${to} HTTP/1.1\r\n${authorization}Connection: content-length\r\n\r\n`,
    `GET  ${to} HTTP/1.1\r\n${authorization}\r\n`,
    `GET ${to} HTTP/2.0\r\n${authorization}\r\n`,
    `GET ${to}\r\n${authorization}\r\n`,
    `GET / HTTP/1.1\r\n${authorization}Host: localhost:${server.port}\r\n\r\n`,
    `GET https://localhost:${server.port}/ HTTP/1.1\r\n${authorization}\r\n`,
    `GET ftp://localhost:${server.port}/ HTTP/1.1\r\n${authorization}\r\n`,
    `GET ${to}#fragment HTTP/1.1\r\n${authorization}\r\n`,
    `GET ${to}\u00e9 HTTP/1.1\r\n${authorization}\r\n`,
    `CONNECT localhost:${server.port} HTTP/1.1\r\n${authorization}Content-Length: 3\r\n\r\n`,
    "\r\nGET / HTTP/1.1\r\n\r\n",
    "\x16\x03\x01\r\n\r\n",
  ];
  for (const request of requests) {
    using client = await world.connect();
    await client.send(request);
    assert.match(
      await client.end(),
      /^HTTP\/1\.1 400 /,
      JSON.stringify(request),
    );
  }
  assert.equal(server.connections.length, 0);
});

Deno.test("addresses with a user name or a hostile host are refused", async () => {
  await using server = new Script(OK);
  await using world = worldFor(server, ["a.test"]);
  for (
    const url of [
      `http://a.test@localhost:${server.port}/`,
      "http://a.test%00.evil.test/",
      "http://evil.test\\a.test/",
      "http://evil.test\\@a.test/",
      "http://127.0.0.1/",
      "http://2130706433/",
      "http://[::]/",
      "http://:80/",
      "http:///a.test/",
    ]
  ) {
    using client = await world.connect();
    await client.send(get(world, url, { host: "a.test" }));
    assert.match(await client.end(), /^HTTP\/1\.1 40[03] /, url);
  }
  assert.equal(server.connections.length, 0);
});

Deno.test("a chunked body that is malformed ends the exchange on both sides", async () => {
  const bodies = [
    "x\r\n",
    "3\nabc\r\n",
    "3\r\nabcd",
    "3\r\nabc\n0\r\n\r\n",
    "-1\r\n",
    "1000000000000\r\n",
    "0\r\nX\n\r\n\r\n",
  ];
  for (const body of bodies) {
    await using server = new RawServer();
    await using world = worldFor(server);
    using client = await world.connect();
    const headers = "Transfer-Encoding: chunked\r\n";
    const url = `http://localhost:${server.port}/`;
    await client.send(get(world, url, { method: "POST", headers }) + body);
    assert.match(await client.end(), /^(HTTP\/1\.1 502 |$)/);
    await server.connections[0]!.end();
  }
});

Deno.test("answers that two programs could read in two ways are not passed on", async () => {
  for (
    const answer of [
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n",
      "HTTP/1.1 200 OK\r\nBad Header: 1\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: " + "x".repeat(100_000),
      "HTTP/1.1 100 Continue\r\n\r\n".repeat(100),
      "garbage\r\n\r\n",
    ]
  ) {
    await using server = new Script(answer);
    await using world = worldFor(server);
    using client = await world.connect();
    await client.send(get(world, `http://localhost:${server.port}/`));
    const text = (await client.end()).replaceAll(
      "HTTP/1.1 100 Continue\r\n\r\n",
      "",
    );
    assert.match(text, /^HTTP\/1\.1 502 /, answer.slice(0, 80));
  }
});

Deno.test("an older client gets answers that it knows", async () => {
  await using server = new Script(OK, OK);
  await using world = worldFor(server);
  using client = await world.connect();
  const url = `http://localhost:${server.port}/`;
  await client.send(get(world, url, { version: "1.0" }));
  assert.match(await client.end(), /^HTTP\/1\.1 200 .*ok$/s);
  assert.match(server.heads[0]!, /^GET \/ HTTP\/1\.0\r\n.*Connection: close/s);
});

Deno.test("an exchange ends when nobody is left to take the answer", async () => {
  await using server = new RawServer();
  await using world = new ProxyWorld([`localhost:${server.port}`], {
    limits: { halfClosedMs: 50 },
  });
  {
    using client = await world.connect();
    await client.send(get(world, `http://localhost:${server.port}/`));
    const arrived = await waitFor("a request", () => server.connections[0]);
    await arrived.until("\r\n\r\n");
  }
  await server.connections[0]!.end();
});
