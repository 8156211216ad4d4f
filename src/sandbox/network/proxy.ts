/** The proxy of a launch: the only way out of a sandbox whose network is a list of hosts. */
import { listenLoopback, type LoopbackListener } from "../../os/sockets.ts";
import { type Credential, makeCredential } from "./credential.ts";
import { proxyVariables } from "./environment.ts";
import type { ProxyOptions } from "./proxy_options.ts";
import { loopbackPorts, type NetworkRules } from "./rules.ts";
import type { Sessions } from "./sessions.ts";

/** A running proxy. */
export interface RunningProxy {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly credential: Credential;
  /** The variables for programs that are to use it, over those that they have so far. They hold the credential. */
  environment(
    env?: Readonly<Record<string, string>>,
  ): Record<string, string>;
  /** Loads what speaks on connections, which wait for it. The first one does it else. */
  load(): Promise<void>;
  /** Ends it with all connections. */
  close(): Promise<void>;
}

/** Starts a proxy for these rules. Decisions are told to `options.audit`. */
export function startProxy(
  rules: NetworkRules,
  options: ProxyOptions,
): RunningProxy {
  const credential = makeCredential();
  const listener = listenLoopback();
  const server = new Server(listener, async () => {
    const { Sessions } = await import("./sessions.ts");
    return new Sessions(rules, options, credential);
  });
  const place = {
    port: listener.port,
    credential,
    loopbackPorts: loopbackPorts(rules),
  };
  return {
    port: listener.port,
    credential,
    environment: (env) => proxyVariables(place, env),
    load: () => server.load(),
    close: () => server.close(),
  };
}

/** Takes connections. */
class Server {
  readonly #listener: LoopbackListener;
  readonly #open: () => Promise<Sessions>;
  readonly #loop: Promise<void>;
  #sessions: Promise<Sessions> | undefined;

  constructor(listener: LoopbackListener, open: () => Promise<Sessions>) {
    this.#listener = listener;
    this.#open = open;
    this.#loop = this.#accept();
  }

  async load(): Promise<void> {
    this.#sessions ??= this.#open();
    await this.#sessions;
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener.accept()) {
      this.#sessions ??= this.#open();
      (await this.#sessions).take(connection);
    }
  }

  async close(): Promise<void> {
    this.#listener.close();
    await this.#loop;
    const sessions = await this.#sessions;
    await sessions?.close();
  }
}
