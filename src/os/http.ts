/** A server for programs on this machine. */

/** What came in. Headers are left out on purpose: they carry credentials, and no handler has use for them. */
export interface HttpRequest {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly body: string;
}

/** What goes out. */
export interface HttpReply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** A running server. */
export interface LoopbackServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Stops it and drops the connections that are open. */
  close(): Promise<void>;
}

/** Answers HTTP requests on a free port of 127.0.0.1, which other machines cannot reach. */
export function serveLoopback(
  handle: (request: HttpRequest) => HttpReply,
): LoopbackServer {
  const stop = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: stop.signal,
    onListen: () => undefined,
  }, async (request) => {
    const { status, type, body } = handle({
      method: request.method,
      path: new URL(request.url).pathname,
      body: await request.text(),
    });
    return new Response(body, { status, headers: { "content-type": type } });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    close: async () => {
      stop.abort();
      await server.finished;
    },
  };
}
