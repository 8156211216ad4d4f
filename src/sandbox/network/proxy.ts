/** The proxy of a launch: the only way out of a sandbox whose network is a list of hosts. */
import { epochMs, monotonicMs } from "../../os/clock.ts";
import { type LookUp, lookUp } from "../../os/dns.ts";
import {
  type Connection,
  interfaceAddresses,
  listenLoopback,
  type LoopbackListener,
} from "../../os/sockets.ts";
import { every } from "../../os/timers.ts";
import { CopyBuffers } from "./copy_buffers.ts";
import { type Credential, makeCredential } from "./credential.ts";
import { proxyVariables } from "./environment.ts";
import type { ProxyEvent } from "./events.ts";
import { serveHttp } from "./http_session.ts";
import { type IpAddress, parseIp } from "./ip.ts";
import { PROXY_LIMITS, type ProxyLimits } from "./limits.ts";
import { loopbackPorts, type NetworkRules } from "./rules.ts";
import { endsSession, Session, type Shared } from "./session.ts";
import { serveSocks } from "./socks_session.ts";
import { Upstreams } from "./upstream.ts";

/** What a proxy is started with. */
export interface ProxyOptions {
  /** Path of the manifest, for the messages that tools show. */
  readonly manifest: string;
  /** Hears of every decision, in order. */
  readonly audit: (event: ProxyEvent) => void;
  /** Hears of an error that is a bug of ours; the session that it happened in has ended. */
  readonly onBug: (error: unknown) => void;
  readonly limits?: Partial<ProxyLimits>;
  /** Asks for a name's addresses; the system unless given. */
  readonly lookUp?: LookUp;
  /** The user's own variables, which may name a proxy to connect through. Not those of a manifest. */
  readonly env?: Readonly<Record<string, string>>;
  /** Certificates, PEM, that such a proxy is trusted by besides the built-in ones. */
  readonly caCerts?: () => Promise<readonly string[]>;
}

/** A running proxy. */
export interface RunningProxy {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly credential: Credential;
  /** The variables for programs that are to use it, over those that they have so far. They hold the credential. */
  environment(
    env?: Readonly<Record<string, string>>,
  ): Record<string, string>;
  /** Ends it with all connections. */
  close(): Promise<void>;
}

/** Milliseconds between two looks for connections whose time is up. */
const SWEEP_MS = 1000;
/** Milliseconds for which the machine's addresses are taken to be the same. */
const OWN_MS = 2000;
const SOCKS_VERSION = 5;

/** Starts a proxy for these rules. Decisions are told to `options.audit`. */
export function startProxy(
  rules: NetworkRules,
  options: ProxyOptions,
): RunningProxy {
  const credential = makeCredential();
  const listener = listenLoopback();
  const shared: Shared = {
    rules,
    credential,
    manifest: options.manifest,
    audit: options.audit,
    limits: { ...PROXY_LIMITS, ...options.limits },
    lookUp: options.lookUp ?? lookUp,
    buffers: new CopyBuffers(),
    own: rememberOwn(),
    now: epochMs,
    upstreams: new Upstreams(options.env ?? {}),
    caCerts: options.caCerts ?? (() => Promise.resolve([])),
  };
  const server = new Server(listener, shared, options.onBug);
  const place = {
    port: listener.port,
    credential,
    loopbackPorts: loopbackPorts(rules),
  };
  return {
    port: listener.port,
    credential,
    environment: (env) => proxyVariables(place, env),
    close: () => server.close(),
  };
}

/** This machine's addresses; interfaces come and go. */
function rememberOwn(): () => readonly IpAddress[] {
  let own: readonly IpAddress[] = [];
  let until = -Infinity;
  return () => {
    const now = monotonicMs();
    if (now < until) return own;
    own = interfaceAddresses().map(parseIp).filter((ip) => ip !== undefined);
    until = now + OWN_MS;
    return own;
  };
}

/** Takes connections and keeps their sessions. */
class Server {
  readonly #sessions = new Map<Session, Promise<void>>();
  readonly #listener: LoopbackListener;
  readonly #shared: Shared;
  readonly #onBug: (error: unknown) => void;
  readonly #loop: Promise<void>;
  readonly #stopSweeping: () => void;

  constructor(
    listener: LoopbackListener,
    shared: Shared,
    onBug: (error: unknown) => void,
  ) {
    this.#listener = listener;
    this.#shared = shared;
    this.#onBug = onBug;
    this.#stopSweeping = every(SWEEP_MS, () => this.#sweep());
    this.#loop = this.#accept();
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener.accept()) {
      if (this.#sessions.size >= this.#shared.limits.connections) {
        connection.close();
        continue;
      }
      this.#begin(connection);
    }
  }

  #begin(connection: Connection): void {
    const session = new Session(connection, this.#shared);
    const done = serve(session).catch((error) => {
      if (!endsSession(error)) this.#onBug(error);
    }).finally(() => {
      session.close();
      this.#sessions.delete(session);
    });
    this.#sessions.set(session, done);
  }

  #sweep(): void {
    const now = monotonicMs();
    for (const session of this.#sessions.keys()) {
      if (session.isLate(now)) session.close();
    }
  }

  async close(): Promise<void> {
    this.#stopSweeping();
    this.#listener.close();
    await this.#loop;
    const ends = [...this.#sessions.values()];
    for (const session of this.#sessions.keys()) session.close();
    await Promise.all(ends);
  }
}

/** The first byte tells which protocol it is. */
async function serve(session: Session): Promise<void> {
  const { client, shared } = session;
  if (!await client.fill(shared.limits.headBytes)) return;
  if (client.waiting[0] === SOCKS_VERSION) await serveSocks(session);
  else await serveHttp(session);
}
