/** Downloads over https: redirections, retries, limits, hashes. */
import { AppError } from "../base/errors.ts";
import type { AbsPath } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { Digests, NewFile } from "../os/bytes.ts";
import { type HttpAnswer, HttpClient } from "../os/fetch.ts";
import { sleep } from "../os/process.ts";
import { caCertificates, proxyFor } from "./network_env.ts";
import type { SourceContext } from "./source.ts";
import { checkUrl, quoteUrl } from "./url.ts";

const MAX_HOPS = 10;
const RETRIES = 2;
const RETRY_MS = 300;

/** How this source reaches the web; the environment decides what is left out. */
export interface WebSettings {
  readonly caCerts?: readonly string[];
  readonly identity?:
    | { readonly cert: string; readonly key: string }
    | undefined;
  /** The proxy for an address; undefined for none. */
  readonly proxyFor?: (url: URL) => string | undefined;
  /** Headers for an address; asked again after each redirection, so that a login stays with its host. */
  readonly headersFor?: (url: URL) => Readonly<Record<string, string>>;
  /** Whether an address may be asked. Throws when not; only https without credentials unless given. */
  readonly check?: (url: URL) => void;
}

/** A file that was downloaded. */
export interface Download {
  readonly file: AbsPath;
  /** By the names of the algorithms asked for. */
  digest(algorithm: string, form: "hex" | "base64"): string;
}

/** Connections for one source. Use with `using`. */
export class Web implements Disposable {
  readonly #context: SourceContext;
  readonly #settings: WebSettings;
  readonly #clients = new Map<string, HttpClient>();

  constructor(context: SourceContext, settings: WebSettings = {}) {
    this.#context = context;
    this.#settings = settings;
  }

  /** Saves what is at `url` in the context's directory, hashing it on the way. Throws `SOURCE_*`. */
  async download(
    url: URL,
    options: { readonly algorithms: readonly string[] },
  ): Promise<Download> {
    return await this.#trying(() => this.#save(url, options.algorithms));
  }

  /** The text at `url`, of at most `maxBytes`. Throws `SOURCE_*`. */
  async text(
    url: URL,
    options: { readonly maxBytes: number; readonly accept?: string },
  ): Promise<string> {
    return await this.#trying(async () => {
      const answer = await this.#open(url, options.accept);
      const decoder = new TextDecoder();
      let text = "";
      for await (const piece of this.#limited(answer, url, options.maxBytes)) {
        text += decoder.decode(piece, { stream: true });
      }
      return text + decoder.decode();
    });
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) client[Symbol.dispose]();
  }

  /** Once more after what may pass by itself. */
  async #trying<T>(action: () => Promise<T>): Promise<T> {
    for (let attempt = 0;; attempt++) {
      try {
        return await action();
      } catch (error) {
        const mayPass = error instanceof AppError &&
          error.code === "SOURCE_UNREACHABLE" && attempt < RETRIES &&
          !/certificate|no such host/.test(error.message);
        if (!mayPass) throw error;
        await sleep(RETRY_MS * 3 ** attempt, this.#context.signal);
        this.#context.signal?.throwIfAborted();
      }
    }
  }

  async #save(url: URL, algorithms: readonly string[]): Promise<Download> {
    const answer = await this.#open(url);
    const digests = new Digests(algorithms);
    const file = NewFile.temporary(this.#context.temp);
    try {
      const { downloadBytes } = this.#context.limits;
      for await (const piece of this.#limited(answer, url, downloadBytes)) {
        digests.update(piece);
        file.write(piece);
      }
    } catch (error) {
      file.discard();
      throw error;
    }
    file.finish();
    return {
      file: file.path,
      digest: (algorithm, form) => digests.digest(algorithm, form),
    };
  }

  /** The answer at the end of all redirections. */
  async #open(start: URL, accept?: string): Promise<HttpAnswer> {
    const { context, settings } = {
      context: this.#context,
      settings: this.#settings,
    };
    if (context.offline) throw offline(quoteUrl(start.href));
    const check = settings.check ?? checkHttps;
    let url = start;
    for (let hop = 0; hop <= MAX_HOPS; hop++) {
      check(url);
      const answer = await this.#clientFor(url).get(url, {
        headers: {
          // A compressed transfer of a compressed file would be hashed unpacked.
          ...(accept === undefined
            ? { "accept-encoding": "identity" }
            : { accept }),
          "user-agent": "aenv",
          ...settings.headersFor?.(url),
        },
        timeoutMs: context.limits.stallMs,
        signal: context.signal,
      });
      const location = answer.header("location");
      const isMove = answer.status >= 300 && answer.status < 400 &&
        location !== undefined;
      if (!isMove) return await accepted(answer, url);
      await answer.cancel();
      const next = URL.parse(location, url.href);
      if (next === null) break;
      url = next;
    }
    throw new AppError(
      "SOURCE_REFUSED",
      `Cannot fetch ${
        quoteUrl(start.href)
      }: it redirects too often or to nowhere`,
    );
  }

  #clientFor(url: URL): HttpClient {
    const { host } = this.#context;
    const proxy = this.#settings.proxyFor?.(url) ?? proxyFor(url, host.env);
    const key = proxy ?? "";
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const client = new HttpClient({
      caCerts: [...caCertificates(host), ...this.#settings.caCerts ?? []],
      proxy,
      identity: this.#settings.identity,
    });
    this.#clients.set(key, client);
    return client;
  }

  async *#limited(
    answer: HttpAnswer,
    url: URL,
    maxBytes: number,
  ): AsyncGenerator<Uint8Array> {
    const { progress, limits } = this.#context;
    const length = Number(answer.header("content-length") ?? NaN);
    const total = Number.isNaN(length) ? undefined : length;
    const deadline = AbortSignal.timeout(limits.timeMs);
    let done = 0;
    for await (const piece of answer.body()) {
      done += piece.length;
      if (done > maxBytes) {
        throw new AppError(
          "SOURCE_REFUSED",
          `Cannot fetch ${
            quoteUrl(url.href)
          }: it has more than ${maxBytes} bytes`,
        );
      }
      if (deadline.aborted) {
        throw new AppError(
          "SOURCE_REFUSED",
          `Cannot fetch ${quoteUrl(url.href)}: it takes more than ${
            limits.timeMs / 1000
          } s`,
        );
      }
      progress({ type: "bytes", done, total });
      yield piece;
    }
  }
}

function checkHttps(url: URL): void {
  checkUrl(url.href, ["https"]);
}

/** What is said when the network is needed and must not be used; `what` is quoted already. */
export function offline(what: string): AppError {
  return new AppError(
    "SOURCE_OFFLINE",
    `Cannot fetch ${what}: the network may not be used`,
    { hint: "Run it again without --offline" },
  );
}

async function accepted(answer: HttpAnswer, url: URL): Promise<HttpAnswer> {
  if (answer.status === 200) return answer;
  await answer.cancel();
  const what = quoteUrl(url.href);
  switch (answer.status) {
    case 401:
    case 403:
      throw new AppError(
        "SOURCE_DENIED",
        `Cannot fetch ${what}: ${
          quote(url.host)
        } wants a login (status ${answer.status})`,
      );
    case 404:
    case 410:
      throw new AppError(
        "SOURCE_NOT_FOUND",
        `Cannot fetch ${what}: there is nothing (status ${answer.status})`,
        {
          hint:
            "Check the address; some servers say so when a login is missing",
        },
      );
    default:
      throw new AppError(
        "SOURCE_UNREACHABLE",
        `Cannot fetch ${what}: the server answers with status ${answer.status}`,
        { hint: "Try again later" },
      );
  }
}
