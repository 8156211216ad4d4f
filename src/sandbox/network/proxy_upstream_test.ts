/** The proxy behind another one, the user's network's own. */
import assert from "node:assert/strict";
import { makeCertificates } from "../../../tests/support/sources/certificates.ts";
import {
  ProxyWorld,
  type ProxyWorldOptions,
  RawServer,
} from "../../../tests/support/proxy_world.ts";
import { waitFor } from "../../../tests/support/process.ts";
import { TempDir } from "../../../tests/support/temp.ts";
import { UpstreamProxy } from "../../../tests/support/upstream_proxy.ts";

const LOGIN = "me:se:cret@7";
const FAR = { names: ["far.test"] };

/** Speaks first, then answers; closes after that. */
function greeter(): RawServer {
  return new RawServer(async (client) => {
    await client.send("welcome");
    await client.until("hello");
    await client.send(" again");
    client.connection.closeWrite();
  });
}

/** An http server that says what it was asked. */
function echo(): RawServer {
  return new RawServer(async (client) => {
    const head = await client.until("\r\n\r\n");
    const length = `Content-Length: ${head.length}\r\n\r\n`;
    await client.send(`HTTP/1.1 200 OK\r\n${length}${head}`);
  });
}

/** What the proxy says to one request. */
async function ask(
  allow: readonly string[],
  options: ProxyWorldOptions,
  line: string,
): Promise<{ readonly text: string; readonly world: ProxyWorld }> {
  await using world = new ProxyWorld(allow, options);
  using client = await world.connect();
  const head = `${line} HTTP/1.1\r\n${world.authorization}`;
  await client.send(`${head}Connection: close\r\n\r\n`);
  return { text: await client.end(), world };
}

Deno.test("a tunnel to an allowed name goes through the user's own proxy, which alone knows the name", async () => {
  await using server = greeter();
  await using upstream = new UpstreamProxy({ ...FAR, login: LOGIN });
  const { port } = server;
  await using world = new ProxyWorld([`far.test:${port}`], {
    env: upstream.env,
  });
  using client = await world.connect();
  await client.send(
    `CONNECT far.test:${port} HTTP/1.1\r\n${world.authorization}\r\n`,
  );
  await client.until("welcome");
  await client.send("hello");
  assert.match(await client.end(), /^HTTP\/1\.1 200 .*\r\n\r\nwelcome again$/);
  assert.deepEqual(upstream.requests, [`CONNECT far.test:${port} HTTP/1.1`]);
  assert.deepEqual(world.decisions, [`allowed far.test:${port}`]);
  assert.equal(world.events[0]!.via, `http://127.0.0.1:${upstream.port}`);
  assert.ok(!JSON.stringify(world.events).includes("cret"));
});

Deno.test("SOCKS goes through the user's own proxy as well", async () => {
  await using server = greeter();
  await using upstream = new UpstreamProxy({ ...FAR, login: LOGIN });
  await using world = new ProxyWorld([`far.test:${server.port}`], {
    env: { ALL_PROXY: upstream.url },
  });
  using client = await world.connect();
  const { user, password } = world.proxy.credential;
  const word = (text: string) => String.fromCharCode(text.length) + text;
  const port = String.fromCharCode(server.port >> 8, server.port & 255);
  await client.send(`\x05\x01\x02\x01${word(user)}${word(password)}`);
  await client.send(`\x05\x01\x00\x03${word("far.test")}${port}`);
  await client.until("welcome");
  await client.send("hello");
  await client.end();
  assert.equal(upstream.requests.length, 1);
});

Deno.test("plain http is handed to the user's own proxy as a whole address, with its login and not ours", async () => {
  await using server = echo();
  await using upstream = new UpstreamProxy({ ...FAR, login: LOGIN });
  const url = `http://far.test:${server.port}/a?b`;
  const { text, world } = await ask(
    [`far.test:${server.port}`],
    { env: upstream.env },
    `GET ${url}`,
  );
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(text, /GET \/a\?b HTTP\/1\.1\r\nHost: far\.test:/);
  assert.deepEqual(upstream.requests, [`GET ${url} HTTP/1.1`]);
  const { password } = world.proxy.credential;
  const heads = upstream.heads.join();
  assert.ok(!heads.includes(btoa(`aenv:${password}`)));
  assert.ok(!text.includes("Proxy-"));
});

Deno.test("a SOCKS proxy of the user's own is asked by name, for plain http as well", async () => {
  await using server = echo();
  const { port } = server;
  await using upstream = new ProxyWorld(
    [`far.test:${port}`, `localhost:${port}`],
    { names: { "far.test": [["127.0.0.1"]] } },
  );
  const { user, password } = upstream.proxy.credential;
  const place = `127.0.0.1:${upstream.port}`;
  const env = { ALL_PROXY: `socks5://${user}:${password}@${place}` };
  const allow = [`far.test:${port}`, "evil.test"];
  const line = `GET http://far.test:${port}/a`;
  const { text } = await ask(allow, { env }, line);
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(text, /GET \/a HTTP\/1\.1/);
  assert.deepEqual(upstream.decisions, [`allowed far.test:${port}`]);
  assert.equal(upstream.events[0]!.protocol, "socks");
  const refused = await ask(allow, { env }, "CONNECT evil.test:443");
  assert.match(
    refused.text,
    /^HTTP\/1\.1 502 .*, socks5:\/\/127\.0\.0\.1:[0-9]+, answered that its rules do not allow it\r\n/,
  );
  for (const login of ["", "me:secret@"]) {
    const other = { ALL_PROXY: `socks5h://${login}${place}` };
    const { text } = await ask(allow, { env: other }, line);
    assert.match(text, login === "" ? /wants a user/ : /does not take the/);
    assert.ok(!text.includes("secret"));
  }
});

Deno.test("what is not allowed never reaches the user's own proxy", async () => {
  await using upstream = new UpstreamProxy();
  const names = { "inner.test": [["10.1.2.3"]] };
  const options = { env: upstream.env, names };
  const place = `127.0.0.1:${upstream.port}`;
  for (
    const [line, reason] of [
      ["CONNECT evil.test:443", "not-listed"],
      ["GET http://evil.test/", "not-listed"],
      // The proxy itself is for us only.
      [`CONNECT ${place}`, "not-listed"],
      // Addresses are refused as they are without it, and so are names that are known to lead there.
      ["CONNECT 169.254.169.254:80", "address"],
      ["CONNECT inner.test:443", "address"],
    ] as const
  ) {
    const allow = ["inner.test", "169.254.0.0/16"];
    const { text, world } = await ask(allow, options, line);
    assert.match(text, /^HTTP\/1\.1 403 /, line);
    assert.equal(world.events[0]!.reason, reason, line);
  }
  assert.deepEqual(upstream.requests, []);
});

Deno.test("NO_PROXY and this machine's own services are connected to directly", async () => {
  await using server = echo();
  await using upstream = new UpstreamProxy();
  const { port } = server;
  const names = { "near.test": [["127.0.0.1"]] };
  for (const host of ["localhost", "near.test"]) {
    const allow = [`${host}:${port}`, `localhost:${port}`];
    const options = { env: upstream.env, names };
    const { text } = await ask(allow, options, `GET http://${host}:${port}/`);
    assert.match(text, /^HTTP\/1\.1 200 OK/);
  }
  const env = { ...upstream.env, NO_PROXY: ".test" };
  const { text } = await ask(["far.test"], { env }, "CONNECT far.test:443");
  assert.match(text, /: there is no such host\n$/);
  assert.deepEqual(upstream.requests, []);
});

Deno.test("a proxy that is spoken to over TLS is one with a certificate that is trusted", async () => {
  using dir = new TempDir();
  const tls = await makeCertificates(`${dir.path}/certificates`);
  await using server = echo();
  await using upstream = new UpstreamProxy({ ...FAR, tls, login: LOGIN });
  const allow = [`far.test:${server.port}`];
  const line = `GET http://far.test:${server.port}/`;
  const caCerts = () => Promise.resolve([Deno.readTextFileSync(tls.caFile)]);
  const good = await ask(allow, { env: upstream.env, caCerts }, line);
  assert.match(good.text, /^HTTP\/1\.1 200 OK/);
  const bad = await ask(allow, { env: upstream.env }, line);
  assert.match(bad.text, /^HTTP\/1\.1 502 /);
  assert.match(bad.text, /its certificate is not trusted/);
  assert.equal(upstream.requests.length, 1);
});

/** What is wrong, what the proxy of the network does, and what the tool is told. */
const TROUBLES: readonly (readonly [
  string,
  ConstructorParameters<typeof UpstreamProxy>[0],
  RegExp,
])[] = [
  [
    "wants another login",
    { login: "x:y" },
    /does not take the user name and password in HTTPS?_PROXY/,
  ],
  ["answers an error", {
    answer: "HTTP/1.1 403 Not here\xe9\r\nContent-Length: 0\r\n\r\n",
  }, /answered 403 Not here\?\r\n/],
  [
    "answers nonsense",
    { answer: "SSH-2.0-x\r\n\r\n" },
    /gave no answer|the server sent none, or a malformed one/,
  ],
  ["hangs up", { answer: "" }, /gave no answer|the server sent none/],
];

for (const [what, options, said] of TROUBLES) {
  Deno.test(`a tool is told that the user's own proxy ${what}, without the login`, async () => {
    await using upstream = new UpstreamProxy(options);
    const url = `http://me:se%3Acret%407@127.0.0.1:${upstream.port}`;
    const env = { HTTPS_PROXY: url, HTTP_PROXY: url };
    for (const line of ["CONNECT far.test:443", "GET http://far.test/"]) {
      const isError = line.startsWith("GET") &&
        options?.answer?.includes("403");
      const { text, world } = await ask(["far.test"], { env }, line);
      if (isError) {
        // An answer like any other.
        assert.match(text, /^HTTP\/1\.1 403 /);
        continue;
      }
      assert.match(text, /^HTTP\/1\.1 50[24] /, text);
      assert.match(text, said);
      assert.ok(!/cret|bWU6/.test(text + JSON.stringify(world.events)), text);
      if (!text.includes("the server sent none")) {
        assert.ok(text.includes(`http://127.0.0.1:${upstream.port},`), text);
      }
    }
    assert.equal(upstream.requests.length, 2);
  });
}

Deno.test("a tool is told that the user's own proxy cannot be reached, or is none", async () => {
  const closed = new UpstreamProxy();
  await closed[Symbol.asyncDispose]();
  const line = "CONNECT far.test:443";
  const gone = await ask(["far.test"], { env: closed.env }, line);
  assert.match(
    gone.text,
    /^HTTP\/1\.1 502 Bad Gateway: the proxy of this network, http:\/\/127\.0\.0\.1:[0-9]+, cannot be reached: the connection was refused\r\n/,
  );
  assert.match(gone.text, /set HTTPS_PROXY outside the sandbox/);
  const env = { ALL_PROXY: "socks4://me:secret@127.0.0.1:1" };
  const unusable = await ask(["far.test"], { env }, line);
  assert.match(
    unusable.text,
    /: ALL_PROXY names no http, https or socks5 proxy\n/,
  );
  assert.ok(!unusable.text.includes("secret"));
});

Deno.test("the end of a proxy does not wait for an upstream that says nothing", async () => {
  await using silent = new RawServer();
  const url = `http://127.0.0.1:${silent.port}`;
  const world = new ProxyWorld(["far.test"], { env: { HTTPS_PROXY: url } });
  using client = await world.connect();
  await client.send(
    `CONNECT far.test:443 HTTP/1.1\r\n${world.authorization}\r\n`,
  );
  await waitFor(
    "the question",
    () => silent.connections[0]?.text.includes("\r\n\r\n") || undefined,
  );
  const start = performance.now();
  await world[Symbol.asyncDispose]();
  assert.ok(performance.now() - start < 5_000);
});

Deno.test("an upstream that says nothing is given up", async () => {
  await using silent = new RawServer();
  const env = { HTTPS_PROXY: `http://127.0.0.1:${silent.port}` };
  const options = { env, limits: { upstreamMs: 200 } };
  const { text } = await ask(["far.test"], options, "CONNECT far.test:443");
  assert.match(
    text,
    /^HTTP\/1\.1 504 Gateway Timeout: .* gave no answer that can be read\r\n/,
  );
});
