/**
 * Stands on the loopback interface for http and sse servers that need a secret: what the agent sends to it goes to the one
 * address of its server, with the headers that the agent does not have.
 */
import { AppError } from "../base/errors.ts";
import {
  type LoopbackServer,
  OutgoingClient,
  type OutgoingOptions,
  serveLoopback,
} from "../os/loopback_http.ts";
import { randomHex } from "../os/fs.ts";
import { answerHeaders, requestHeaders } from "./http_headers.ts";
import { replaceEndpoint } from "./sse_endpoint.ts";

/** A server of somebody else's, with its values. */
export interface RelayedServer {
  readonly name: string;
  readonly type: "http" | "sse";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** One whose address and headers are looked up when it is first asked for. */
export interface LateServer {
  readonly name: string;
  /** Throws what makes it impossible; it is asked again then. */
  readonly fill: () => Promise<RelayedServer>;
}

/** What the agent is told instead of a server's address and headers. */
export interface RelayEntry {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const METHODS = ["GET", "POST", "DELETE"];
/** Addresses of one server that it gave itself, for sessions and redirections: more than these are forgotten, oldest first. */
const MAX_PLACES = 256;
/** Bodies up to here, in bytes, are sent with their length, as not every server takes them in pieces. */
const MAX_HELD_BODY = 16 * 1024 * 1024;

/** What a relay needs. */
export interface RelayOptions extends OutgoingOptions {
  /** Told when a server is first sent its headers. */
  readonly onUse?: (server: string) => void;
}

/** The relay of one launch. `stop` it at the end. */
export class HttpRelay {
  /** What the agent has to show: knowing the path alone is not enough. */
  readonly #pass = randomHex(32) + randomHex(32);
  readonly #routes = new Map<string, Entry>();
  readonly #client: OutgoingClient;
  readonly #server: LoopbackServer;
  readonly #onUse: (server: string) => void;
  readonly #used = new Set<string>();

  /** Starts to listen. Throws `IO`. */
  constructor(
    servers: readonly (RelayedServer | LateServer)[],
    { onUse, ...options }: RelayOptions,
  ) {
    this.#onUse = onUse ?? (() => {});
    for (const server of servers) {
      this.#routes.set(randomHex(32), new Entry(server));
    }
    this.#client = new OutgoingClient(options);
    this.#server = serveLoopback((request) => this.#answer(request));
  }

  /** Where it listens on 127.0.0.1. */
  get port(): number {
    return this.#server.port;
  }

  /** The agent's entries by server name. */
  entries(): ReadonlyMap<string, RelayEntry> {
    const headers = { Authorization: `Bearer ${this.#pass}` };
    return new Map(
      [...this.#routes].map(([token, { name }]) => {
        const url = `http://127.0.0.1:${this.#server.port}/${token}`;
        return [name, { url, headers }];
      }),
    );
  }

  /** Ends it with all that is open. */
  async stop(): Promise<void> {
    await this.#server.stop();
    this.#client[Symbol.dispose]();
  }

  async #answer(request: Request): Promise<Response> {
    if (!this.#isFromAgent(request.headers)) return refusal(403);
    const { pathname, search } = new URL(request.url);
    const [, token = "", place] = /^\/([0-9a-f]{32})(?:\/(\d+))?$/
      .exec(pathname) ?? [];
    const entry = this.#routes.get(token);
    const route = await entry?.route();
    if (route instanceof AppError) {
      return new Response(route.message, { status: 502 });
    }
    const url = search === "" ? route?.find(place) : undefined;
    if (route === undefined || url === undefined) return refusal(404);
    if (!METHODS.includes(request.method)) return refusal(405);
    return await this.#forward(request, url, { route, token });
  }

  /** A page in a browser can reach the port, but names itself as its origin, or the host by a name of its own. */
  #isFromAgent(headers: Headers): boolean {
    const { port } = this.#server;
    const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
    return !headers.has("origin") &&
      hosts.includes(headers.get("host") ?? "") &&
      isSame(headers.get("authorization") ?? "", `Bearer ${this.#pass}`);
  }

  async #forward(
    request: Request,
    url: URL,
    { route, token }: { readonly route: Route; readonly token: string },
  ): Promise<Response> {
    const { name } = route.server;
    if (!this.#used.has(name)) this.#onUse(name);
    this.#used.add(name);
    const answer = await this.#client.send(url, {
      method: request.method,
      headers: requestHeaders(request.headers, route.headers),
      body: await bodyOf(request),
    });
    if (answer === undefined) return refusal(502);
    const headers = answerHeaders(answer.headers);
    const location = answer.headers.get("location");
    const place = location === null ? undefined : route.add(location, url);
    if (place !== undefined) headers.set("location", `/${token}/${place}`);
    else if (answer.status >= 300 && answer.status < 400) {
      // To another origin, or nowhere: its headers must not go there.
      await answer.body?.cancel();
      return refusal(502);
    }
    const body = isOldStream(request, route, answer)
      ? answer.body?.pipeThrough(replaceEndpoint((address) => {
        const place = route.add(address, url);
        return place === undefined ? undefined : `/${token}/${place}`;
      }))
      : answer.body;
    return new Response(body, { status: answer.status, headers });
  }
}

/** A server, which may have to be looked up. */
class Entry {
  readonly name: string;
  readonly #server: RelayedServer | LateServer;
  #route: Route | undefined;

  constructor(server: RelayedServer | LateServer) {
    this.name = server.name;
    this.#server = server;
  }

  /** An error says why it cannot be filled in now. */
  async route(): Promise<Route | AppError> {
    if (this.#route !== undefined) return this.#route;
    const server = this.#server;
    try {
      const filled = "fill" in server ? await server.fill() : server;
      // Somebody may have come first, and knows its places.
      return this.#route ??= new Route(filled);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return error;
    }
  }
}

/** One server, and the addresses on it that may be asked for. */
class Route {
  readonly server: RelayedServer;
  readonly headers: Readonly<Record<string, string>>;
  readonly #url: URL;
  readonly #places = new Map<string, URL>();
  #last = 0;

  constructor(server: RelayedServer) {
    this.server = server;
    const { url, login } = withoutLogin(server.url);
    this.#url = url;
    this.headers = { ...login, ...server.headers };
  }

  /** The address of a place, or the server's own. */
  find(place: string | undefined): URL | undefined {
    return place === undefined ? this.#url : this.#places.get(place);
  }

  /** A place for an address that the server gave; undefined when that is on another origin, where its headers must not go. */
  add(address: string, base: URL): string | undefined {
    if (!URL.canParse(address, base)) return undefined;
    const { url } = withoutLogin(new URL(address, base));
    if (url.origin !== this.#url.origin) return undefined;
    url.hash = "";
    for (const [place, known] of this.#places) {
      if (known.href === url.href) return place;
    }
    const [oldest] = this.#places.keys();
    if (this.#places.size >= MAX_PLACES) this.#places.delete(oldest!);
    const place = `${++this.#last}`;
    this.#places.set(place, url);
    return place;
  }
}

/** A login in the address becomes the header that it stands for. */
function withoutLogin(
  from: URL,
): { readonly url: URL; readonly login: Record<string, string> } {
  const url = new URL(from);
  if (url.username === "" && url.password === "") return { url, login: {} };
  const [user, password] = [url.username, url.password].map(decoded);
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  url.username = "";
  url.password = "";
  const value = `Basic ${btoa(String.fromCharCode(...bytes))}`;
  return { url, login: { Authorization: value } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return text;
  }
}

async function bodyOf(
  request: Request,
): Promise<ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null> {
  const length = request.headers.get("content-length");
  const isShort = length !== null && Number(length) <= MAX_HELD_BODY;
  if (request.body === null || !isShort) return request.body;
  return new Uint8Array(await request.arrayBuffer());
}

function isOldStream(
  request: Request,
  { server }: Route,
  answer: Response,
): boolean {
  const type = answer.headers.get("content-type") ?? "";
  return server.type === "sse" && request.method === "GET" &&
    answer.ok && type.startsWith("text/event-stream");
}

function refusal(status: number): Response {
  return new Response(undefined, { status });
}

/** Compares in a time that does not tell how much of it is right. */
function isSame(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) {
    difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  }
  return difference === 0;
}
