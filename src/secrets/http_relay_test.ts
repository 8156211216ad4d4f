import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { HttpRelay, type RelayEntry } from "./http_relay.ts";

type Answer = (request: Request) => Response | Promise<Response>;

/** A server of somebody else's that remembers what it was sent. Use with `await using`. */
class Upstream implements AsyncDisposable {
  readonly seen: {
    readonly method: string;
    readonly path: string;
    readonly headers: Headers;
    readonly body: Uint8Array;
  }[] = [];
  readonly #stop = new AbortController();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(answer: Answer = () => new Response("fine")) {
    const options = {
      hostname: "127.0.0.1",
      port: 0,
      signal: this.#stop.signal,
      onListen: () => {},
    };
    this.#server = Deno.serve(options, async (request) => {
      const { pathname, search } = new URL(request.url);
      const body = new Uint8Array(await request.clone().arrayBuffer());
      const { method, headers } = request;
      this.seen.push({ method, path: pathname + search, headers, body });
      return await answer(request);
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#server.finished;
  }
}

/** A relay to one server, as the agent knows it. Use with `await using`. */
class Relayed implements AsyncDisposable {
  readonly entry: RelayEntry;
  readonly #relay: HttpRelay;

  constructor(
    url: string,
    options: {
      readonly type?: "http" | "sse";
      readonly headers?: Record<string, string>;
    } = {},
  ) {
    const { type = "http", headers = { "X-Key": "the-secret" } } = options;
    const server = { name: "s", type, url: new URL(url), headers };
    this.#relay = new HttpRelay([server], { caCerts: [] });
    this.entry = this.#relay.entries().get("s")!;
  }

  /** Asks as the agent does. */
  ask(init: RequestInit = {}, path = ""): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) {
      headers.set("authorization", this.entry.headers["Authorization"]!);
    }
    return fetch(this.entry.url + path, {
      redirect: "manual",
      ...init,
      headers,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relay.stop();
  }
}

Deno.test("HttpRelay adds the manifest's headers and passes the protocol's own, in both directions", async () => {
  await using upstream = new Upstream(() =>
    new Response("{}", {
      headers: {
        "content-type": "application/json",
        "mcp-session-id": "42",
        "set-cookie": "a=b",
        "www-authenticate": "Bearer",
        "access-control-allow-origin": "*",
      },
    })
  );
  await using relay = new Relayed(`${upstream.origin}/mcp?x=1`, {
    headers: { Authorization: "Bearer the-secret", "X-Key": "k" },
  });
  const answer = await relay.ask({
    method: "POST",
    body: '{"jsonrpc":"2.0"}',
    headers: {
      "content-type": "application/json",
      accept: "text/event-stream",
      "mcp-session-id": "41",
      "mcp-protocol-version": "2025-06-18",
      "last-event-id": "7",
      cookie: "c=d",
      "x-key": "of the agent",
    },
  });
  strictEqual(await answer.text(), "{}");
  const [{ method, path, headers, body }] = upstream.seen as [never];
  strictEqual(method, "POST");
  strictEqual(path, "/mcp?x=1");
  strictEqual(new TextDecoder().decode(body), '{"jsonrpc":"2.0"}');
  const { get } = { get: (name: string) => (headers as Headers).get(name) };
  strictEqual(get("authorization"), "Bearer the-secret");
  strictEqual(get("x-key"), "k");
  strictEqual(get("mcp-session-id"), "41");
  strictEqual(get("mcp-protocol-version"), "2025-06-18");
  strictEqual(get("last-event-id"), "7");
  strictEqual(get("content-length"), "17");
  strictEqual(get("cookie"), null);
  strictEqual(get("host"), new URL(upstream.origin).host);
  strictEqual(answer.headers.get("mcp-session-id"), "42");
  for (
    const name of [
      "set-cookie",
      "www-authenticate",
      "access-control-allow-origin",
    ]
  ) {
    strictEqual(answer.headers.get(name), null, name);
  }
});

Deno.test("HttpRelay takes a login in the address as the header that it stands for", async () => {
  await using upstream = new Upstream();
  const url = upstream.origin.replace("//", "//me:p%40ss@");
  await using relay = new Relayed(url, { headers: {} });
  await (await relay.ask()).text();
  strictEqual(
    upstream.seen[0]!.headers.get("authorization"),
    `Basic ${btoa("me:p@ss")}`,
  );
});

Deno.test("HttpRelay answers nobody but the agent, and asks for nothing but the server's address", async () => {
  await using upstream = new Upstream();
  await using relay = new Relayed(`${upstream.origin}/mcp`);
  const cases: [number, RequestInit, string?][] = [
    [403, { headers: { authorization: "Bearer wrong" } }],
    [403, { headers: { origin: "http://127.0.0.1" } }],
    [404, {}, "/other"],
    [404, {}, "/1"],
    [404, {}, "?a=b"],
    [404, {}, "/../" + "0".repeat(32)],
    [405, { method: "PUT" }],
    [405, { method: "OPTIONS" }],
  ];
  for (const [status, init, path] of cases) {
    const answer = await relay.ask(init, path);
    strictEqual(answer.status, status, JSON.stringify([init, path]));
    strictEqual(await answer.text(), "");
  }
  const bare = await fetch(relay.entry.url);
  strictEqual(bare.status, 403);
  strictEqual(await bare.text(), "");
  const { port, pathname } = new URL(relay.entry.url);
  for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1"]) {
    const answer = await askPlainly(Number(port), [
      `GET ${pathname} HTTP/1.1`,
      `Host: ${host}`,
      `Authorization: ${relay.entry.headers["Authorization"]}`,
      "Connection: close",
    ]);
    match(answer, /^HTTP\/1\.1 403 /);
  }
  strictEqual(upstream.seen.length, 0);
});

/** Sends lines as they are; returns what comes back. */
async function askPlainly(
  port: number,
  lines: readonly string[],
): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const text = lines.map((line) => line + "\r\n").join("") + "\r\n";
  await connection.write(new TextEncoder().encode(text));
  return await new Response(connection.readable).text();
}

Deno.test("HttpRelay lets a redirection lead to the same origin only", async () => {
  await using other = new Upstream();
  await using upstream = new Upstream((request) => {
    const { pathname } = new URL(request.url);
    const places: Record<string, string> = {
      "/mcp": "/mcp/",
      "/away": `${other.origin}/mcp`,
    };
    const location = places[pathname];
    return location === undefined
      ? new Response("here")
      : new Response(null, { status: 307, headers: { location } });
  });
  await using relay = new Relayed(`${upstream.origin}/mcp`);
  const answer = await relay.ask({
    method: "POST",
    body: "x",
    redirect: "follow",
  });
  strictEqual(await answer.text(), "here");
  deepStrictEqual(
    upstream.seen.map(({ path, headers }) => [path, headers.get("x-key")]),
    [["/mcp", "the-secret"], ["/mcp/", "the-secret"]],
  );
  await using away = new Relayed(`${upstream.origin}/away`);
  const refused = await away.ask({ method: "POST", body: "x" });
  strictEqual(refused.status, 502);
  strictEqual(await refused.text(), "");
  strictEqual(refused.headers.get("location"), null);
  strictEqual(other.seen.length, 0);
});

Deno.test("HttpRelay passes streams on piece by piece, and their end in both directions", async () => {
  const ended = Promise.withResolvers<void>();
  let send: (text: string) => void = () => {};
  await using upstream = new Upstream(() => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        send = (text) => controller.enqueue(new TextEncoder().encode(text));
      },
      cancel: () => ended.resolve(),
    });
    const headers = { "content-type": "text/event-stream" };
    return new Response(body, { headers });
  });
  await using relay = new Relayed(upstream.origin);
  const answer = await relay.ask();
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (const text of ["data: 1\n\n", "data: 2\n\n"]) {
    send(text);
    deepStrictEqual(await reader.read(), { done: false, value: text });
  }
  await reader.cancel();
  await ended.promise;
});

Deno.test("HttpRelay passes large bodies both ways, with and without a length", async () => {
  await using upstream = new Upstream(async (request) =>
    new Response(await request.arrayBuffer())
  );
  await using relay = new Relayed(upstream.origin);
  const data = crypto.getRandomValues(new Uint8Array(65536));
  const large = new Uint8Array(5_000_000).map((_, i) => data[i % 65536]!);
  const bodies = [large, new Blob([large]).stream()];
  for (const body of bodies) {
    const answer = await relay.ask({ method: "POST", body });
    deepStrictEqual(await answer.bytes(), large);
  }
});

Deno.test("HttpRelay asks for plain bodies, and passes packed ones on so that they can be read", async () => {
  await using upstream = new Upstream(() => {
    const packed = new Blob(["text"]).stream()
      .pipeThrough(new CompressionStream("gzip"));
    return new Response(packed, { headers: { "content-encoding": "gzip" } });
  });
  await using relay = new Relayed(upstream.origin);
  const headers = { "accept-encoding": "gzip" };
  strictEqual(await (await relay.ask({ headers })).text(), "text");
  strictEqual(upstream.seen[0]!.headers.get("accept-encoding"), "identity");
});

Deno.test("HttpRelay puts its own address into the first event of an old stream", async () => {
  await using upstream = new Upstream((request) => {
    const { pathname } = new URL(request.url);
    if (pathname !== "/sse") return new Response("accepted", { status: 202 });
    const text =
      ": hi \u00fc\n\nevent: endpoint\ndata: /message?session=1\n\n" +
      "event: message\ndata: \u00fc\n\n";
    const bytes = new TextEncoder().encode(text);
    // Cut anywhere, also within a character.
    const pieces = Array.from(bytes, (byte) => Uint8Array.of(byte));
    const headers = { "content-type": "text/event-stream" };
    return new Response(ReadableStream.from(pieces), { headers });
  });
  await using relay = new Relayed(`${upstream.origin}/sse`, { type: "sse" });
  const text = await (await relay.ask()).text();
  const { pathname } = new URL(relay.entry.url);
  strictEqual(
    text,
    `: hi \u00fc\n\nevent: endpoint\ndata: ${pathname}/1\n\n` +
      "event: message\ndata: \u00fc\n\n",
  );
  const posted = await relay.ask({ method: "POST", body: "{}" }, "/1");
  strictEqual(await posted.text(), "accepted");
  strictEqual(upstream.seen.at(-1)!.path, "/message?session=1");
  strictEqual(upstream.seen.at(-1)!.headers.get("x-key"), "the-secret");
});

Deno.test("HttpRelay breaks an old stream off that names another origin", async () => {
  await using other = new Upstream();
  await using upstream = new Upstream(() => {
    const text = `event: endpoint\ndata: ${other.origin}/message\n\nrest`;
    const headers = { "content-type": "text/event-stream" };
    return new Response(text, { headers });
  });
  await using relay = new Relayed(`${upstream.origin}/sse`, { type: "sse" });
  strictEqual(await (await relay.ask()).text(), "");
  const posted = await relay.ask({ method: "POST" }, "/1");
  strictEqual(posted.status, 404);
  strictEqual(await posted.text(), "");
});

Deno.test("HttpRelay says that a server does not answer, and no more", async () => {
  const gone = new Upstream();
  const { origin } = gone;
  await gone[Symbol.asyncDispose]();
  await using relay = new Relayed(`${origin}/?key=the-secret`);
  const answer = await relay.ask();
  strictEqual(answer.status, 502);
  strictEqual(await answer.text(), "");
  ok(![...answer.headers].flat().join().includes("secret"));
});
