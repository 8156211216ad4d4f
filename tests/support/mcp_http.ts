/**
 * MCP servers over HTTP, of the new kind (`/mcp`) and the old one (`/sse`), that answer only who shows the right header; for
 * others they do not even exist. One tool, `ping`.
 */

interface Message {
  readonly id?: number | string;
  readonly method: string;
  readonly params?: { readonly protocolVersion?: string };
}

/** Running servers. Use with `await using`. */
export class HttpMcpServers implements AsyncDisposable {
  /** Names of the tools that were called, by whom may. */
  readonly calls: string[] = [];
  /** How many requests did not have the header. */
  refused = 0;
  readonly #header: readonly [string, string];
  readonly #stop = new AbortController();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #streams = new Map<string, (event: string) => void>();

  constructor(header: readonly [string, string]) {
    this.#header = header;
    const options = {
      hostname: "127.0.0.1",
      port: 0,
      signal: this.#stop.signal,
      onListen: () => {},
    };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
  }

  /** `http://127.0.0.1:PORT`. */
  get origin(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#server.finished;
  }

  async #answer(request: Request): Promise<Response> {
    const [name, value] = this.#header;
    const { pathname, searchParams } = new URL(request.url);
    if (request.headers.get(name) !== value) {
      this.refused += 1;
      return new Response(null, { status: 401 });
    }
    const { method } = request;
    if (pathname === "/mcp" && method === "POST") {
      return this.#post(await request.json());
    }
    if (pathname === "/mcp") {
      return new Response(null, { status: method === "DELETE" ? 200 : 405 });
    }
    if (pathname === "/sse" && method === "GET") return this.#open();
    const send = this.#streams.get(searchParams.get("session") ?? "");
    if (pathname === "/message" && method === "POST" && send) {
      const answer = this.#reply(await request.json());
      if (answer !== undefined) send(eventOf("message", answer));
      return new Response("Accepted", { status: 202 });
    }
    return new Response(null, { status: 404 });
  }

  #post(message: Message): Response {
    const answer = this.#reply(message);
    if (answer === undefined) return new Response(null, { status: 202 });
    return new Response(eventOf("message", answer), {
      headers: { "content-type": "text/event-stream", "mcp-session-id": "1" },
    });
  }

  #open(): Response {
    const session = crypto.randomUUID();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const encoder = new TextEncoder();
        const send = (text: string) => controller.enqueue(encoder.encode(text));
        this.#streams.set(session, send);
        send(`event: endpoint\ndata: /message?session=${session}\n\n`);
      },
      cancel: () => {
        this.#streams.delete(session);
      },
    });
    const headers = { "content-type": "text/event-stream" };
    return new Response(body, { headers });
  }

  #reply(message: Message): string | undefined {
    if (message.id === undefined) return undefined;
    if (message.method === "tools/call") this.calls.push("ping");
    const result = resultOf(message);
    const answer = result === undefined
      ? { error: { code: -32601, message: "Method not found" } }
      : { result };
    return JSON.stringify({ jsonrpc: "2.0", id: message.id, ...answer });
  }
}

function eventOf(event: string, data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`;
}

function resultOf({ method, params }: Message): unknown {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params?.protocolVersion ?? "2025-06-18",
        capabilities: { tools: {} },
        serverInfo: { name: "http", version: "1" },
      };
    case "tools/list": {
      const inputSchema = { type: "object", properties: {} };
      const ping = { name: "ping", description: "answers", inputSchema };
      return { tools: [ping] };
    }
    case "tools/call":
      return { content: [{ type: "text", text: "pong over http" }] };
    case "ping":
      return {};
    default:
      return undefined;
  }
}
