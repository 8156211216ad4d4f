/** HTTP requests to other machines, one hop each. Which addresses may be asked, and how often, is the caller's to say. */
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";

/** How a connection is made. */
export interface ConnectOptions {
  /** Certificates, PEM, that are trusted besides the built-in ones. */
  readonly caCerts: readonly string[];
  /** Address of a proxy; none unless given, whatever the environment says of the scheme it is for. */
  readonly proxy?: string | undefined;
  /** The client's own certificate and key, PEM. */
  readonly identity?:
    | { readonly cert: string; readonly key: string }
    | undefined;
}

/** One request. Only GET is needed. */
export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the headers must be there, and between two pieces of the body. */
  readonly timeoutMs: number;
}

/** What came back. The body must be read to its end or cancelled. */
export interface HttpAnswer {
  readonly status: number;
  /** A header's value; undefined when it is not there. */
  header(name: string): string | undefined;
  /** The body in pieces. Throws `SOURCE_UNREACHABLE` when it breaks off or stalls. */
  body(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
  /** Lets the rest go. */
  cancel(): Promise<void>;
}

/** Connections with the same settings. Use with `using`. */
export class HttpClient implements Disposable {
  readonly #client: Deno.HttpClient;

  constructor(options: ConnectOptions) {
    this.#client = Deno.createHttpClient({
      caCerts: [...options.caCerts],
      ...(options.proxy === undefined ? {} : { proxy: proxyOf(options.proxy) }),
      ...options.identity,
    });
  }

  /** Sends one GET; a redirection comes back as what it is. Throws `SOURCE_UNREACHABLE`, or the signal's reason. */
  async get(url: URL, options: RequestOptions): Promise<HttpAnswer> {
    const stall = new AbortController();
    const timer = setTimeout(() => stall.abort(), options.timeoutMs);
    const signals = [stall.signal, ...options.signal ? [options.signal] : []];
    try {
      const response = await fetch(url, {
        redirect: "manual",
        headers: { ...options.headers },
        client: this.#client,
        signal: AbortSignal.any(signals),
      });
      return answerOf(response, url, { ...options, stall });
    } catch (error) {
      throw failure(url, error, { ...options, stall });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes what is open. */
  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function proxyOf(address: string): Deno.Proxy {
  const url = new URL(address);
  const basicAuth = url.username === "" ? {} : {
    basicAuth: {
      username: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
    },
  };
  url.username = "";
  url.password = "";
  return { url: url.href, ...basicAuth };
}

interface Pending extends RequestOptions {
  readonly stall: AbortController;
}

function answerOf(response: Response, url: URL, pending: Pending): HttpAnswer {
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: () => piecesOf(response, url, pending),
    cancel: async () => await response.body?.cancel(),
  };
}

async function* piecesOf(
  response: Response,
  url: URL,
  pending: Pending,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let isWhole = false;
  try {
    while (true) {
      const timer = setTimeout(() => pending.stall.abort(), pending.timeoutMs);
      const piece = await reader.read().finally(() => clearTimeout(timer));
      isWhole = piece.done;
      if (piece.done) return;
      yield piece.value;
    }
  } catch (error) {
    isWhole = true;
    throw failure(url, error, pending);
  } finally {
    // The reader of this generator may stop early.
    if (!isWhole) await reader.cancel();
  }
}

/** The error in words. What the library says is not shown: it repeats the address, which may hold a token. */
function failure(url: URL, error: unknown, pending: Pending): unknown {
  if (error instanceof AppError) return error;
  if (pending.signal?.aborted) return pending.signal.reason;
  const isStalled = pending.stall.signal.aborted;
  if (!isStalled && !isNetworkError(error)) return error;
  const { state, hint } = isStalled
    ? {
      state: `no answer for ${Math.round(pending.timeoutMs / 1000)} s`,
      hint: "Try again later",
    }
    : stateOf(textOf(error));
  return new AppError(
    "SOURCE_UNREACHABLE",
    `Cannot reach ${quote(url.host)}: ${state}`,
    { hint, cause: error },
  );
}

function isNetworkError(error: unknown): boolean {
  return error instanceof TypeError || error instanceof Deno.errors.Http ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.UnexpectedEof;
}

function textOf(error: unknown): string {
  let text = "";
  for (let at = error; at instanceof Error; at = at.cause) {
    text += " " + at.message;
  }
  return text;
}

function stateOf(text: string): { state: string; hint: string } {
  if (/certificate/i.test(text)) {
    const reason = /invalid peer certificate: (\w+)/.exec(text)?.[1];
    return {
      state: `its certificate is not trusted${reason ? ` (${reason})` : ""}`,
      hint:
        "Name your certificate authority's file: export SSL_CERT_FILE=/path/to/ca.pem",
    };
  }
  const hint = "Check the address, the network and the proxy";
  if (/dns error|lookup address/i.test(text)) {
    return { state: "no such host", hint };
  }
  if (/refused/i.test(text)) return { state: "connection refused", hint };
  return { state: "the connection broke off", hint };
}
