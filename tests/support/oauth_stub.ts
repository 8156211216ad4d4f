/** The services that a logged-in Claude Code talks to: a proxy on this machine that takes every host for them. */

import { makeCertificates } from "./sources/certificates.ts";

/** Hosts that the agent asks. */
const HOSTS = [
  "api.anthropic.com",
  "platform.claude.com",
  "console.anthropic.com",
  "claude.ai",
  "mcp-proxy.anthropic.com",
];

/** A login as the agent keeps it; `expiresAt` is in milliseconds since the epoch. */
export function credentials(expiresAt: number, name = "old"): string {
  return JSON.stringify({
    claudeAiOauth: {
      accessToken: `sk-ant-oat01-${name}`,
      refreshToken: `sk-ant-ort01-${name}`,
      expiresAt,
      scopes: ["user:inference", "user:profile"],
      subscriptionType: "max",
    },
  });
}

/** Logins that are renewed, and a model that says "hi". Use with `await using`. */
export class OauthStub implements AsyncDisposable {
  /** The refresh tokens that were handed in, in order. */
  readonly refreshed: string[] = [];
  /** Waited for before a login is renewed. */
  beforeRefresh: () => Promise<void> = () => Promise.resolve();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Promise<void>[] = [];
  readonly #loop: Promise<void>;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #caFile: string;

  private constructor(cert: string, key: string, caFile: string) {
    this.#caFile = caFile;
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      cert,
      key,
      onListen: () => undefined,
    }, (request) => this.#answer(request));
    this.#loop = this.#listen();
  }

  /** Starts one that keeps its certificates in `dir`. */
  static async start(dir: string): Promise<OauthStub> {
    const { cert, key, caFile } = await makeCertificates(dir, HOSTS);
    return new OauthStub(cert, key, caFile);
  }

  /** The environment that makes the agent talk to it. */
  get env(): Record<string, string> {
    return {
      HTTPS_PROXY: `http://127.0.0.1:${this.#listener.addr.port}`,
      NODE_EXTRA_CA_CERTS: this.#caFile,
    };
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname.endsWith("/oauth/token")) {
      const { refresh_token: token } = await request.json();
      this.refreshed.push(token);
      await this.beforeRefresh();
      const name = `new${this.refreshed.length}`;
      return Response.json({
        token_type: "Bearer",
        access_token: `sk-ant-oat01-${name}`,
        refresh_token: `sk-ant-ort01-${name}`,
        expires_in: 28_800,
        scope: "user:inference user:profile",
      });
    }
    if (pathname.endsWith("/v1/messages")) {
      return Response.json({
        id: "msg_1",
        type: "message",
        role: "assistant",
        model: "stub",
        content: [{ type: "text", text: "hi" }],
        stop_reason: "end_turn",
        usage: { input_tokens: 1, output_tokens: 1 },
      });
    }
    return Response.json({}, { status: 404 });
  }

  async #listen(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connections.push(this.#serve(connection));
    }
  }

  /** A tunnel to our own server, whatever host was asked for. */
  async #serve(client: Deno.TcpConn): Promise<void> {
    await client.read(new Uint8Array(4096));
    const { port } = this.#server.addr;
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    const answer = "HTTP/1.1 200 OK\r\n\r\n";
    await client.write(new TextEncoder().encode(answer));
    // Either side may hang up first.
    await Promise.allSettled([
      client.readable.pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#loop;
    await Promise.all(this.#connections);
    await this.#server.shutdown();
  }
}
