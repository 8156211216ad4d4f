/** An HTTP server that only this machine can reach, and requests that are passed on as they come. */
import { osCode } from "./io_error.ts";

/** A running server. */
export interface LoopbackServer {
  readonly port: number;
  /** Ends it with all that is open. */
  stop(): Promise<void>;
}

const FAILED = 500;

/**
 * Serves on a free port of 127.0.0.1. `answer` should not throw: what it throws is not shown. It must not touch the request's
 * signal, of which Deno 2.9 would write a warning to the terminal.
 */
export function serveLoopback(
  answer: (request: Request) => Promise<Response>,
): LoopbackServer {
  const stop = new AbortController();
  const options = {
    hostname: "127.0.0.1",
    port: 0,
    signal: stop.signal,
    // Else it would write to the terminal, which is the agent's.
    onListen: () => {},
    onError: () => new Response(undefined, { status: FAILED }),
  };
  const server = Deno.serve(options, answer);
  return {
    port: server.addr.port,
    async stop() {
      stop.abort();
      await server.finished;
    },
  };
}

/** What is passed on. */
export interface Outgoing {
  readonly method: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null;
}

/** How other machines are reached. */
export interface OutgoingOptions {
  /** Certificates, PEM, that are trusted besides the built-in ones. */
  readonly caCerts: readonly string[];
}

/** Sends requests. A proxy is taken from the environment, as other programs do. Use with `using`. */
export class OutgoingClient implements Disposable {
  readonly #client: Deno.HttpClient;

  constructor({ caCerts }: OutgoingOptions) {
    this.#client = Deno.createHttpClient({ caCerts: [...caCerts] });
  }

  /** Sends one request; a redirection comes back as what it is. Undefined when there is no answer. */
  async send(url: URL, request: Outgoing): Promise<Response | undefined> {
    const { method, headers, body } = request;
    try {
      return await fetch(url, {
        method,
        headers,
        body,
        redirect: "manual",
        client: this.#client,
      });
    } catch (error) {
      if (isNoAnswer(error)) return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function isNoAnswer(error: unknown): boolean {
  const name = error instanceof Error ? error.name : "";
  return error instanceof TypeError || name === "AbortError" ||
    error instanceof Deno.errors.Http || osCode(error) !== undefined ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.Interrupted;
}
