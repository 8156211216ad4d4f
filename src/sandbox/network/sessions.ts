/** The connections of a proxy: loaded with all that speaks on them, which a start can do without. */
import { epochMs, monotonicMs } from "../../os/clock.ts";
import { lookUp } from "../../os/dns.ts";
import { type Connection, interfaceAddresses } from "../../os/sockets.ts";
import { every } from "../../os/timers.ts";
import { CopyBuffers } from "./copy_buffers.ts";
import type { Credential } from "./credential.ts";
import { serveHttp } from "./http_session.ts";
import { type IpAddress, parseIp } from "./ip.ts";
import { PROXY_LIMITS } from "./limits.ts";
import type { ProxyOptions } from "./proxy_options.ts";
import type { NetworkRules } from "./rules.ts";
import { endsSession, Session, type Shared } from "./session.ts";
import { serveSocks } from "./socks_session.ts";
import { Upstreams } from "./upstream.ts";

/** Milliseconds between two looks for connections whose time is up. */
const SWEEP_MS = 1000;
/** Milliseconds for which the machine's addresses are taken to be the same. */
const OWN_MS = 2000;
const SOCKS_VERSION = 5;

/** Keeps the sessions of one proxy. `close` it. */
export class Sessions {
  readonly #running = new Map<Session, Promise<void>>();
  readonly #shared: Shared;
  readonly #onBug: (error: unknown) => void;
  readonly #stopSweeping: () => void;

  constructor(
    rules: NetworkRules,
    options: ProxyOptions,
    credential: Credential,
  ) {
    this.#shared = {
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
    this.#onBug = options.onBug;
    this.#stopSweeping = every(SWEEP_MS, () => this.#sweep());
  }

  /** Serves a connection until its end, or closes it where there are too many. */
  take(connection: Connection): void {
    if (this.#running.size >= this.#shared.limits.connections) {
      connection.close();
      return;
    }
    const session = new Session(connection, this.#shared);
    const done = serve(session).catch((error) => {
      if (!endsSession(error)) this.#onBug(error);
    }).finally(() => {
      session.close();
      this.#running.delete(session);
    });
    this.#running.set(session, done);
  }

  #sweep(): void {
    const now = monotonicMs();
    for (const session of this.#running.keys()) {
      if (session.isLate(now)) session.close();
    }
  }

  /** Ends all. */
  async close(): Promise<void> {
    this.#stopSweeping();
    const ends = [...this.#running.values()];
    for (const session of this.#running.keys()) session.close();
    await Promise.all(ends);
  }
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

/** The first byte tells which protocol it is. */
async function serve(session: Session): Promise<void> {
  const { client, shared } = session;
  if (!await client.fill(shared.limits.headBytes)) return;
  if (client.waiting[0] === SOCKS_VERSION) await serveSocks(session);
  else await serveHttp(session);
}
