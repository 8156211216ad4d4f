/** Connections through a proxy of the user's own network. */
import type { LookUp } from "../../os/dns.ts";
import { type Connection, isHangUp } from "../../os/sockets.ts";
import { within } from "../../os/timers.ts";
import { addressesOf, connectAny, type Problem } from "./connect.ts";
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
import type { Upstream } from "./upstream.ts";

/** What connecting to such a proxy needs. */
export interface Reach {
  readonly limits: ProxyLimits;
  readonly lookUp: LookUp;
  /** Certificates, PEM, that it is trusted by besides the built-in ones. */
  readonly caCerts: () => Promise<readonly string[]>;
}

/** Why it gave no connection. */
export type UpstreamTrouble =
  | { readonly kind: "unreachable"; readonly problem: Problem }
  /** It wants a user name and a password, or others. */
  | { readonly kind: "credential" }
  | { readonly kind: "answer"; readonly status: number; readonly text: string }
  | { readonly kind: "no-answer" };

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
  const { host, port, isEncrypted } = upstream;
  const addresses = await addressesOf(host, {
    lookUp,
    resolveMs: limits.resolveMs,
  });
  const tls = isEncrypted
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

async function ask(
  connection: Connection,
  { host, port, upstream, headBytes }: {
    readonly host: NormalHost;
    readonly port: number;
    readonly upstream: Upstream;
    readonly headBytes: number;
  },
): Promise<Relayed> {
  const inlet = new Inlet(connection, {
    onUse: () => {},
    // Nothing is copied here.
    buffers: new CopyBuffers(),
  });
  const authority = `${formatHost(host)}:${port}`;
  const head = formatHead(`CONNECT ${authority} HTTP/1.1`, [
    { written: "Host", value: authority },
    ...upstreamFields(upstream),
  ]);
  try {
    await inlet.send(toBytes(head));
    for (let count = 0; count < MAX_INTERIM; count++) {
      const bytes = await inlet.takeHead(headBytes);
      if (bytes === undefined) break;
      const answer = parseResponseHead(fromBytes(bytes));
      if (answer.status < 200) continue;
      if (answer.status >= 300) {
        return { ok: false, trouble: troubleOf(answer) };
      }
      return { ok: true, connection: after(inlet.waiting, connection) };
    }
  } catch (error) {
    if (!isHangUp(error) && !(error instanceof HeadError)) throw error;
  }
  return { ok: false, trouble: { kind: "no-answer" } };
}

/** What the proxy is told with each request that it passes on. */
export function upstreamFields(
  { authorization }: Upstream,
): { readonly written: string; readonly value: string }[] {
  return authorization === undefined
    ? []
    : [{ written: "Proxy-Authorization", value: authorization }];
}

/** What an answer that is no success means. */
function troubleOf({ status, reason }: ResponseHead): UpstreamTrouble {
  if (status === 407) return { kind: "credential" };
  const text = reason.replace(/[^\x20-\x7e]/g, "?").slice(0, MAX_TEXT);
  return { kind: "answer", status, text };
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
  };
}
