/** A proxy on this machine that tunnels to this machine, whatever host it is asked for. */

/** Use with `await using`. */
export class Proxy implements AsyncDisposable {
  /** First lines and `proxy-authorization` of all requests. */
  readonly requests: { line: string; login: string | undefined }[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Promise<void>[] = [];
  readonly #loop: Promise<void>;

  constructor() {
    this.#loop = this.#listen();
  }

  /** `127.0.0.1:PORT`. */
  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  async #listen(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connections.push(this.#serve(connection));
    }
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(4096);
    const count = await client.read(buffer) ?? 0;
    const text = new TextDecoder().decode(buffer.subarray(0, count));
    const [line = ""] = text.split("\r\n");
    const login = /^proxy-authorization: (.*)\r$/im.exec(text)?.[1];
    this.requests.push({ line, login });
    const port = Number(/:(\d+) HTTP/.exec(line)?.[1]);
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
  }
}
