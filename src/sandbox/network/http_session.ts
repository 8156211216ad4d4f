/** HTTP as a proxy speaks it: CONNECT, and requests for whole addresses. */
import { isSameCredential, parseBasic } from "./credential.ts";
import { parsePort, splitAuthority } from "./host_name.ts";
import { exchange, type ExchangeEnd } from "./http_exchange.ts";
import {
  endToEndFields,
  fromBytes,
  HeadError,
  isPersistent,
  parseRequestHead,
  type RequestHead,
  toBytes,
  valuesOf,
} from "./http_head.ts";
import {
  credentialReply,
  malformedReply,
  notConnectedReply,
  type Reply,
  sendReply,
} from "./http_reply.ts";
import type { Session } from "./session.ts";

const ESTABLISHED = toBytes("HTTP/1.1 200 Connection established\r\n\r\n");

/** Where a request for a whole address goes. */
interface Forwarded {
  /** `HOST[:PORT]`, as it was written. */
  readonly authority: string;
  readonly host: string;
  readonly port: number;
  /** What the server sees: path and query. */
  readonly path: string;
}

/** Serves a client until it or we have had enough. */
export async function serveHttp(session: Session): Promise<void> {
  const { limits } = session.shared;
  let previous: string | undefined;
  while (true) {
    try {
      const { client } = session;
      const isThere = client.waiting.length > 0;
      if (!isThere && !await client.fill(limits.headBytes)) return;
      session.allowFor(limits.headMs);
      const bytes = await client.takeHead(limits.headBytes);
      if (bytes === undefined) return;
      const head = parseRequestHead(fromBytes(bytes));
      const next = await serveRequest(session, { head, previous });
      if (next === undefined) return;
      previous = next.authority;
      session.allowIdle(limits.keepAliveMs);
    } catch (error) {
      if (!(error instanceof HeadError)) throw error;
      return await refuse(session, malformedReply(error.message));
    }
  }
}

interface Incoming {
  readonly head: RequestHead;
  /** Whom the open connection behind the proxy, if there is one, leads to. */
  readonly previous: string | undefined;
}

/** Serves one request. Undefined when the connection has come to its end; else whom the connection that is left leads to. */
async function serveRequest(
  session: Session,
  { head, previous }: Incoming,
): Promise<{ readonly authority: string | undefined } | undefined> {
  const given = parseBasic(valuesOf(head.fields, "proxy-authorization")[0]);
  const { credential } = session.shared;
  if (given === undefined || !isSameCredential(credential, given)) {
    session.tellCredential(head.method === "CONNECT" ? "connect" : "http");
    const keep = isPersistent(head) && head.body.kind === "none";
    const reply = { ...credentialReply(), isBare: head.method === "HEAD" };
    if (!keep) return await refuse(session, reply);
    await sendReply(session, { ...reply, keep });
    return { authority: previous };
  }
  if (head.method === "CONNECT") return await serveConnect(session, head);
  return await serveForwarded(session, { head, previous });
}

/** Requests that may be sent twice: a connection that was used before may turn out to be closed. */
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

async function serveForwarded(
  session: Session,
  { head, previous }: Incoming,
): Promise<{ readonly authority: string | undefined } | undefined> {
  const target = forwardedTo(head);
  // Refused before anybody is connected to.
  endToEndFields(head.fields);
  const { authority } = target;
  // A connection that is used again was decided for this very host and port, and still leads to the address of that decision.
  const isRepeatable = REPEATABLE.has(head.method) && head.body.kind === "none";
  if (previous === authority && isRepeatable) {
    const end = await exchange(session, { head, ...target, mayBeStale: true });
    if (end === "closed") return undefined;
    if (end !== "stale") return left(end, authority);
  }
  const dialled = await session.dial({ ...target, protocol: "http" });
  if (dialled.kind !== "connected") {
    const { manifest } = session.shared;
    const reply = notConnectedReply(dialled, { port: target.port, manifest });
    return await refuse(session, { ...reply, isBare: head.method === "HEAD" });
  }
  const end = await exchange(session, { head, ...target, mayBeStale: false });
  return end === "closed" ? undefined : left(end, authority);
}

function left(
  end: ExchangeEnd,
  authority: string,
): { readonly authority: string | undefined } {
  return { authority: end === "reusable" ? authority : undefined };
}

/** Answers and ends the connection. */
async function refuse(session: Session, reply: Reply): Promise<undefined> {
  await sendReply(session, reply);
  await session.linger();
}

async function serveConnect(
  session: Session,
  head: RequestHead,
): Promise<undefined> {
  if (head.body.kind !== "none") {
    throw new HeadError("a CONNECT request has no body");
  }
  const { host, port } = splitAuthority(head.target);
  const number = parsePort(port ?? "");
  if (number === undefined) {
    throw new HeadError("a CONNECT request names a host and a port");
  }
  const target = { host, port: number, protocol: "connect" } as const;
  const dialled = await session.dial(target);
  if (dialled.kind !== "connected") {
    const { manifest } = session.shared;
    const reply = notConnectedReply(dialled, { port: number, manifest });
    return await refuse(session, reply);
  }
  await session.client.send(ESTABLISHED);
  await session.tunnel();
}

function forwardedTo(head: RequestHead): Forwarded {
  const [, authority, rest = ""] =
    /^http:\/\/([^/?#]+)([/?][^#]*)?$/i.exec(head.target) ?? [];
  if (authority === undefined) {
    throw new HeadError(
      "this is a proxy, which takes CONNECT and addresses that start with http://",
    );
  }
  const { host, port } = splitAuthority(authority);
  const number = port === undefined ? 80 : parsePort(port);
  if (number === undefined) {
    throw new HeadError("its address has no valid port");
  }
  const isServer = head.method === "OPTIONS" && rest === "";
  const path = isServer ? "*" : rest.startsWith("/") ? rest : "/" + rest;
  return { authority, host, port: number, path };
}
