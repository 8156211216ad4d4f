/** Connections through a proxy of the user's own network. */
import type { LookUp } from "../../os/dns.ts";
import { type Connection, isHangUp } from "../../os/sockets.ts";
import { within } from "../../os/timers.ts";
import { addressesOf, connectAny } from "./connect.ts";
import { formatHost, type NormalHost } from "./host_name.ts";
import { CopyBuffers } from "./copy_buffers.ts";
import {
  formatHead,
  fromBytes,
  HeadError,
  parseResponseHead,
  type ResponseHead,
  toBytes,
} from "./http_head.ts";
import { Inlet } from "./inlet.ts";
import type { ProxyLimits } from "./limits.ts";
import type { Upstream, UpstreamTrouble } from "./upstream.ts";
import { askSocks } from "./upstream_socks.ts";

/** What connecting to such a proxy needs. */
export interface Reach {
  readonly limits: ProxyLimits;
  readonly lookUp: LookUp;
  /** Certificates, PEM, that it is trusted by besides the built-in ones. */
  readonly caCerts: () => Promise<readonly string[]>;
}

/** What came of asking it. */
export type Relayed =
  | { readonly ok: true; readonly connection: Connection }
  | { readonly ok: false; readonly trouble: UpstreamTrouble };

const MAX_TEXT = 80;
/** Answers that say to wait for the one that counts. */
const MAX_INTERIM = 16;

/** Connects to the proxy itself. */
export async function reachUpstream(
  upstream: Upstream,
  { limits, lookUp, caCerts }: Reach,
  signal: AbortSignal,
): Promise<Relayed> {
  const { host, port, scheme } = upstream;
  const addresses = await addressesOf(host, {
    lookUp,
    resolveMs: limits.resolveMs,
  });
  const tls = scheme === "https"
    ? { serverName: host.text, caCerts: await caCerts() }
    : undefined;
  const settings = { timeoutMs: limits.connectMs, signal, tls };
  const reached = await connectAny({ addresses, port, ...settings });
  return reached.ok
    ? reached
    : { ok: false, trouble: { kind: "unreachable", problem: reached.problem } };
}

/** Asks the proxy for a connection to a host. The name is looked up there. */
export async function connectThrough(
  upstream: Upstream,
  target: { readonly host: NormalHost; readonly port: number },
  { reach, signal }: { readonly reach: Reach; readonly signal: AbortSignal },
): Promise<Relayed> {
  const reached = await reachUpstream(upstream, reach, signal);
  if (!reached.ok) return reached;
  const { connection } = reached;
  if (signal.aborted) connection.close();
  signal.addEventListener("abort", connection.close, { once: true });
  try {
    const { headBytes, upstreamMs } = reach.limits;
    const asked = ask(connection, { ...target, upstream, headBytes });
    const answer = await within(asked, upstreamMs);
    if (answer?.ok) return answer;
    connection.close();
    return answer ?? { ok: false, trouble: { kind: "no-answer" } };
  } finally {
    signal.removeEventListener("abort", connection.close);
  }
}

async function ask(connection: Connection, asked: Asked): Promise<Relayed> {
  const inlet = new Inlet(connection, {
    onUse: () => {},
    // Nothing is copied here.
    buffers: new CopyBuffers(),
  });
  const { scheme, credential } = asked.upstream;
  try {
    const trouble = scheme === "socks5"
      ? await askSocks(inlet, asked, credential)
      : await askHttp(inlet, asked);
    return trouble === undefined
      ? { ok: true, connection: after(inlet.waiting, connection) }
      : { ok: false, trouble };
  } catch (error) {
    if (!isHangUp(error) && !(error instanceof HeadError)) throw error;
    return { ok: false, trouble: { kind: "no-answer" } };
  }
}

/** What is asked for, and of whom. */
interface Asked {
  readonly host: NormalHost;
  readonly port: number;
  readonly upstream: Upstream;
  readonly headBytes: number;
}

/** Undefined when there is a connection; else why not. */
async function askHttp(
  inlet: Inlet,
  { host, port, upstream, headBytes }: Asked,
): Promise<UpstreamTrouble | undefined> {
  const authority = `${formatHost(host)}:${port}`;
  const head = formatHead(`CONNECT ${authority} HTTP/1.1`, [
    { written: "Host", value: authority },
    ...upstreamFields(upstream),
  ]);
  await inlet.send(toBytes(head));
  for (let count = 0; count < MAX_INTERIM; count++) {
    const bytes = await inlet.takeHead(headBytes);
    if (bytes === undefined) break;
    const answer = parseResponseHead(fromBytes(bytes));
    if (answer.status < 200) continue;
    return answer.status < 300 ? undefined : troubleOf(answer);
  }
  return { kind: "no-answer" };
}

/** What the proxy is told with each request that it passes on. */
export function upstreamFields(
  { credential }: Upstream,
): { readonly written: string; readonly value: string }[] {
  if (credential === undefined) return [];
  const { user, password } = credential;
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  const value = `Basic ${bytes.toBase64()}`;
  return [{ written: "Proxy-Authorization", value }];
}

/** What an answer that is no success means. */
function troubleOf({ status, reason }: ResponseHead): UpstreamTrouble {
  if (status === 407) return { kind: "credential" };
  const text = reason.replace(/[^\x20-\x7e]/g, "?").slice(0, MAX_TEXT);
  return { kind: "answer", text: `${status} ${text}`.trimEnd() };
}

/** The connection with what came before and was not used yet: some servers speak first. */
function after(
  early: Uint8Array<ArrayBuffer>,
  connection: Connection,
): Connection {
  let left = early.slice();
  return left.length === 0 ? connection : {
    ...connection,
    read(buffer) {
      if (left.length === 0) return connection.read(buffer);
      const part = left.subarray(0, buffer.length);
      buffer.set(part);
      left = left.subarray(part.length);
      return Promise.resolve(part.length);
    },
    ports: () => left.length === 0 ? connection.ports() : undefined,
  };
}
