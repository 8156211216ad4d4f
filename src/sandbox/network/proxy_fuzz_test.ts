/** Whatever anybody says to the proxy: it answers or hangs up, connects to nothing that is not allowed, and goes on. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ProxyWorld, RawServer } from "../../../tests/support/proxy_world.ts";

const RUNS = 300;

/** Bytes as characters: noise, and pieces of both protocols in any order. */
const PIECES = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) =>
      String.fromCharCode(...bytes)
    ),
    fc.constantFrom(
      ...["\x05", "\x01", "\x02", "\x00", "\x03\x09evil.test", "\x01\xbb"],
      ...["GET ", "CONNECT ", "http://evil.test/", "evil.test:443", "far.test"],
      ...[" HTTP/1.1", " HTTP/1.0", "\r\n", "\n", "\r\n\r\n", ": ", "Host"],
      ...["HTTP/1.1 200 OK", "HTTP/1.1 100 x", "HTTP/1.1 407 x", "HTTP/1.1 "],
      ...["Content-Length: 5", "Transfer-Encoding: chunked", "5\r\nhello", "0"],
    ),
  ),
  { maxLength: 12 },
).map((pieces) => pieces.join(""));

Deno.test("whatever a client says, it ends or is answered, and nothing is connected to", async () => {
  await using world = new ProxyWorld(["far.test"], { limits: { headMs: 500 } });
  const { user, password } = world.proxy.credential;
  const word = (text: string) => String.fromCharCode(text.length) + text;
  const starts = [
    "",
    `GET http://evil.test/ HTTP/1.1\r\n${world.authorization}`,
    `POST http://evil.test/ HTTP/1.1\r\n${world.authorization}`,
    `\x05\x01\x02\x01${word(user)}${word(password)}`,
  ];
  const client = fc.tuple(fc.constantFrom(...starts), PIECES);
  await fc.assert(
    fc.asyncProperty(client, async ([start, text]) => {
      using raw = await world.connect();
      await raw.send(start + text).catch(() => {});
      await raw.connection.closeWrite().catch(() => {});
      await raw.end();
    }),
    { numRuns: RUNS },
  );
  assert.ok(world.lookUps.every((name) => name === "far.test"));
});

for (const scheme of ["http", "socks5"]) {
  Deno.test(`whatever a ${scheme} proxy of the user's own says, a tool is answered, or gets what the proxy sent`, async () => {
    let said = "";
    await using upstream = new RawServer(async (client) => {
      await client.send(said);
      await client.connection.closeWrite();
    });
    const url = `${scheme}://me:secret@127.0.0.1:${upstream.port}`;
    await using world = new ProxyWorld(["far.test"], {
      env: { ALL_PROXY: url },
      limits: { upstreamMs: 2_000, idleMs: 2_000, halfClosedMs: 500 },
    });
    const lines = ["CONNECT far.test:443", "GET http://far.test/"];
    const answer = fc.tuple(fc.constantFrom(...lines), PIECES);
    await fc.assert(
      fc.asyncProperty(answer, async ([line, text]) => {
        said = text;
        using raw = await world.connect();
        await raw.send(`${line} HTTP/1.1\r\n${world.authorization}\r\n`);
        await raw.connection.closeWrite();
        const answer = await raw.end();
        assert.match(answer, /^(HTTP\/1\.1 [1-5][0-9]{2} |$)/);
        assert.ok(!answer.includes("secret"));
      }),
      { numRuns: RUNS },
    );
  });
}
