/** A proxy for one test, with names that mean what the test says and a record of its decisions. */

import type { ProxyEvent } from "../../src/sandbox/network/events.ts";
import type { ProxyOptions } from "../../src/sandbox/network/proxy_options.ts";
import {
  type RunningProxy,
  startProxy,
} from "../../src/sandbox/network/proxy.ts";
import type { PresetHosts } from "../../src/sandbox/network/presets.ts";
import { parseRules } from "../../src/sandbox/network/rules.ts";
import { waitFor } from "./process.ts";

/** What a test may set. */
export interface ProxyWorldOptions
  extends
    Pick<ProxyOptions, "limits" | "env" | "caCerts">,
    Partial<Pick<PresetHosts, "packages">> {
  /** Addresses by name; each look-up takes the next list of a name, the last one for ever. */
  readonly names?: Readonly<Record<string, readonly (readonly string[])[]>>;
}

/** Use with `await using`. */
export class ProxyWorld implements AsyncDisposable {
  readonly events: ProxyEvent[] = [];
  /** Names that were looked up, in order. */
  readonly lookUps: string[] = [];
  readonly proxy: RunningProxy;
  readonly #bugs: unknown[] = [];

  constructor(allow: readonly string[], options: ProxyWorldOptions = {}) {
    const { packages = {}, names = {}, ...rest } = options;
    const rules = parseRules(allow, {
      agent: "none",
      agentUrls: [],
      packages,
    });
    this.proxy = startProxy(rules, {
      ...rest,
      manifest: "/home/me/project/aenv.toml",
      audit: (event) => this.events.push(event),
      onBug: (error) => this.#bugs.push(error),
      lookUp: (name) => {
        const count = this.lookUps.filter((other) => other === name).length;
        this.lookUps.push(name);
        const lists = names[name] ?? [];
        return Promise.resolve(lists[Math.min(count, lists.length - 1)] ?? []);
      },
    });
  }

  get port(): number {
    return this.proxy.port;
  }

  /** The header that the proxy wants. */
  get authorization(): string {
    const { user, password } = this.proxy.credential;
    return `Proxy-Authorization: Basic ${btoa(`${user}:${password}`)}\r\n`;
  }

  /** `decision host:port reason` of all events. */
  get decisions(): string[] {
    return this.events.map(({ decision, host, port, reason }) =>
      [decision, `${host}:${port}`, ...reason ? [reason] : []].join(" ")
    );
  }

  /** A connection to the proxy. */
  async connect(): Promise<RawClient> {
    return new RawClient(
      await Deno.connect({ hostname: "127.0.0.1", port: this.port }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy.close();
    for (const bug of this.#bugs) throw bug;
  }
}

/** Bytes to and from a server, as text in which each character is a byte. Use with `using`. */
export class RawClient implements Disposable {
  readonly connection: Deno.TcpConn;
  /** What has come so far. */
  text = "";
  isEnded = false;
  readonly #reading: Promise<void>;
  #isClosed = false;

  constructor(connection: Deno.TcpConn) {
    this.connection = connection;
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      while (true) {
        const count = await this.connection.read(buffer);
        if (count === null) break;
        for (const byte of buffer.subarray(0, count)) {
          this.text += String.fromCharCode(byte);
        }
      }
    } catch (error) {
      // A reset is an end as well.
      if (!(error instanceof Deno.errors.ConnectionReset) && !this.#isClosed) {
        throw error;
      }
    }
    this.isEnded = true;
  }

  async send(text: string): Promise<void> {
    const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
    await this.sendBytes(bytes);
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      done += await this.connection.write(bytes.subarray(done));
    }
  }

  /** Waits until `part` has come, and returns everything. */
  async until(part: string): Promise<string> {
    await waitFor(
      `${JSON.stringify(part)} after ${JSON.stringify(this.text)}`,
      () => this.text.includes(part) || this.isEnded || undefined,
    );
    if (!this.text.includes(part)) {
      throw new Error(`ended before ${part}: ${JSON.stringify(this.text)}`);
    }
    return this.text;
  }

  /** Waits for the end, and returns everything. */
  async end(): Promise<string> {
    await waitFor("the end of the connection", () => this.isEnded || undefined);
    await this.#reading;
    return this.text;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    try {
      this.connection.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}

/** A TCP server whose every connection is handled by the test. Use with `await using`. */
export class RawServer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly connections: RawClient[] = [];
  /** What handlers failed with, such as a client that hung up. */
  readonly failures: unknown[] = [];
  readonly #loop: Promise<void>;

  constructor(handle: (client: RawClient) => Promise<void> | void = () => {}) {
    this.#loop = this.#accept(handle);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(
    handle: (client: RawClient) => Promise<void> | void,
  ): Promise<void> {
    const handled: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      const client = new RawClient(connection);
      this.connections.push(client);
      handled.push(this.#handle(() => handle(client)));
    }
    await Promise.all(handled);
  }

  async #handle(action: () => Promise<void> | void): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.failures.push(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const client of this.connections) client[Symbol.dispose]();
    await this.#loop;
  }
}
