/** The proxy of a company's network: takes CONNECT and whole addresses, and knows names that nobody else does. */

/** What it wants, and how it is spoken to. */
export interface UpstreamProxyOptions {
  /** `user:password`; without it everybody may use it. */
  readonly login?: string;
  /** Makes it speak TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** What it says to every request instead of doing it. */
  readonly answer?: string;
  /** Names that are this machine there. */
  readonly names?: readonly string[];
}

const CONNECTED = "HTTP/1.1 200 Connected\r\nX-Proxy: yes\r\n\r\n";
const WANTS_LOGIN =
  'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="company"\r\nContent-Length: 0\r\n\r\n';
const NO_SUCH_HOST =
  "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

/** Use with `await using`. */
export class UpstreamProxy implements AsyncDisposable {
  /** First lines of all requests, in order. */
  readonly requests: string[] = [];
  /** Their heads. */
  readonly heads: string[] = [];
  readonly #options: UpstreamProxyOptions;
  readonly #listener: Deno.TcpListener | Deno.TlsListener;
  readonly #open = new Set<Deno.Conn>();
  readonly #loop: Promise<void>;

  constructor(options: UpstreamProxyOptions = {}) {
    this.#options = options;
    const here = { hostname: "127.0.0.1", port: 0 };
    this.#listener = options.tls === undefined
      ? Deno.listen(here)
      : Deno.listenTls({ ...here, ...options.tls });
    this.#loop = this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Its address with the login, as a user sets it. */
  get url(): string {
    const { login, tls } = this.#options;
    const [user = "", password = ""] = splitOnce(login ?? "", ":");
    const before = login === undefined
      ? ""
      : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`;
    return `${tls ? "https" : "http"}://${before}127.0.0.1:${this.port}`;
  }

  /** The variables of a user behind it. */
  get env(): Record<string, string> {
    return { HTTPS_PROXY: this.url, HTTP_PROXY: this.url };
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#open.add(connection);
      void this.#serve(connection).catch(() => {}).finally(() =>
        this.#close(connection)
      );
    }
  }

  async #serve(client: Deno.Conn): Promise<void> {
    const text = await readHead(client);
    const [head = "", early = ""] = splitOnce(text, "\r\n\r\n");
    const [line = ""] = head.split("\r\n");
    this.requests.push(line);
    this.heads.push(head);
    const { login, answer } = this.#options;
    const given = /^proxy-authorization: basic (.*)$/im.exec(head)?.[1];
    const isKnown = login === undefined ||
      given === new TextEncoder().encode(login).toBase64();
    if (answer !== undefined || !isKnown) {
      await write(client, answer ?? WANTS_LOGIN);
      return;
    }
    const [method = "", target = ""] = line.split(" ");
    const url = new URL(method === "CONNECT" ? `http://${target}` : target);
    const server = await this.#connect(url);
    if (server === undefined) return await write(client, NO_SUCH_HOST);
    this.#open.add(server);
    try {
      if (method === "CONNECT") await write(client, CONNECTED);
      else await write(server, forwarded(head, url));
      await write(server, early);
      await Promise.all([carry(client, server), carry(server, client)]);
    } finally {
      // Also when the client has broken off: a server waits for the end of its connections.
      this.#close(server);
    }
  }

  async #connect(url: URL): Promise<Deno.Conn | undefined> {
    const isHere = this.#options.names?.includes(url.hostname) ||
      /^(127\.0\.0\.1|localhost)$/.test(url.hostname);
    if (!isHere) return undefined;
    const port = Number(url.port || 80);
    return await Deno.connect({ hostname: "127.0.0.1", port });
  }

  #close(connection: Deno.Conn): void {
    if (!this.#open.delete(connection)) return;
    try {
      connection.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) this.#close(connection);
    await this.#loop;
  }
}

/** One request for each connection: what follows is passed on unseen. */
function forwarded(head: string, url: URL): string {
  const [line = "", ...fields] = head.split("\r\n");
  const [method = "", , version = ""] = line.split(" ");
  const kept = fields.filter((field) => !/^(proxy-|connection:)/i.test(field));
  return [
    `${method} ${url.pathname}${url.search} ${version}`,
    ...kept,
    "Connection: close",
    "",
    "",
  ].join("\r\n");
}

function splitOnce(text: string, by: string): string[] {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + by.length)];
}

async function readHead(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  while (!text.includes("\r\n\r\n")) {
    const count = await connection.read(buffer);
    if (count === null) break;
    for (const byte of buffer.subarray(0, count)) {
      text += String.fromCharCode(byte);
    }
  }
  return text;
}

async function write(connection: Deno.Conn, text: string): Promise<void> {
  await writeAll(connection, Uint8Array.from(text, (c) => c.charCodeAt(0)));
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array) {
  let done = 0;
  while (done < bytes.length) {
    done += await connection.write(bytes.subarray(done));
  }
}

async function carry(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let count; (count = await from.read(buffer)) !== null;) {
    await writeAll(to, buffer.subarray(0, count));
  }
  await to.closeWrite();
}
