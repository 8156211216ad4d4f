/** One request passed on, and its answer passed back. */
import { formatHost, normaliseHost } from "./host_name.ts";
import {
  bodyOfResponse,
  endToEndFields,
  type Field,
  formatHead,
  fromBytes,
  HeadError,
  isPersistent,
  listOf,
  parseResponseHead,
  type RequestHead,
  type ResponseHead,
  toBytes,
} from "./http_head.ts";
import { notConnectedReply, type Reply, sendReply } from "./http_reply.ts";
import { within } from "../../os/timers.ts";
import { endsSession, type Session } from "./session.ts";
import type { Upstream } from "./upstream.ts";
import { upstreamFields } from "./upstream_connect.ts";

/** The request, taken apart. */
export interface Exchange {
  readonly head: RequestHead;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Whether the connection has been used before, so that the server may have closed it meanwhile. */
  readonly mayBeStale: boolean;
}

/** What is left: nothing; the client's connection; that and the one behind it. `stale`: nothing has happened. */
export type ExchangeEnd = "closed" | "open" | "reusable" | "stale";

/** How far it has come. */
interface Progress {
  /** Whether the server has said anything. */
  hasHeard: boolean;
  /** Whether the client has something of the answer that counts. */
  hasAnswer: boolean;
  /** Whether a proxy of the user's own network wants a credential. Its question is not the client's. */
  wantsCredential: boolean;
}

/** Interim answers that are passed on before something is wrong. */
const MAX_INTERIM = 16;
/** For the end of a request to be noticed once its answer is there. */
const SENT_MS = 100;

/** Passes a request on over the session's open connection. */
export async function exchange(
  session: Session,
  request: Exchange,
): Promise<ExchangeEnd> {
  const { upstream, shared } = session;
  const upgrade = upgradeOf(request.head);
  session.allowIdle(shared.limits.idleMs);
  const progress: Progress = {
    hasHeard: false,
    hasAnswer: false,
    wantsCredential: false,
  };
  const { forwardsTo } = session;
  try {
    const head = requestHead(request, upgrade, forwardsTo);
    upstream.hold(toBytes(head));
    const sending = sendBody(session, request.head);
    const answer = await passHead(session, { ...request, upgrade, progress });
    return await finish(session, { request, answer, sending });
  } catch (error) {
    if (!endsSession(error)) throw error;
    session.hangUp();
    if (progress.hasAnswer) return "closed";
    if (request.mayBeStale && !progress.hasHeard) return "stale";
    const reply = progress.wantsCredential && forwardsTo !== undefined
      ? credentialWanted(session, request, forwardsTo)
      : brokenReply(request.head);
    await sendReply(session, reply);
    await session.linger();
    return "closed";
  }
}

/** Passes the rest on, and says what can still be used. */
async function finish(
  session: Session,
  { request, answer, sending }: {
    readonly request: Exchange;
    readonly answer: ResponseHead;
    readonly sending: Promise<boolean>;
  },
): Promise<ExchangeEnd> {
  if (answer.status === 101) {
    await session.tunnel();
    return "closed";
  }
  const body = bodyOfResponse(answer, request.head.method);
  await session.upstream.copyBody(body, session.client);
  // A request that the server did not read to its end cannot be followed by another one.
  const isWhole = await within(sending, SENT_MS) === true;
  const isOver = !isWhole || body.kind === "rest" ||
    !isPersistent(request.head);
  if (isOver) {
    session.hangUp();
    await session.linger();
    return "closed";
  }
  if (isPersistent(answer)) return "reusable";
  session.hangUp();
  return "open";
}

/** The protocol that the client wants to change to; undefined when it does not. */
function upgradeOf(head: RequestHead): Field | undefined {
  const wants = listOf(head.fields, "connection").includes("upgrade") &&
    head.version === "1.1" && head.body.kind === "none";
  return wants ? head.fields.find(({ name }) => name === "upgrade") : undefined;
}

function requestHead(
  { head, host, port, path }: Exchange,
  upgrade: Field | undefined,
  forwardsTo: Upstream | undefined,
): string {
  const result = normaliseHost(host);
  if (!result.ok) throw new Error("a host that was not checked");
  const shown = formatHost(result.host);
  const authority = port === 80 ? shown : `${shown}:${port}`;
  const fields = endToEndFields(head.fields);
  // Another proxy needs the whole address. A request about the server itself has none but its name.
  const target = forwardsTo === undefined
    ? path
    : `http://${authority}${path === "*" ? "" : path}`;
  return formatHead(`${head.method} ${target} HTTP/${head.version}`, [
    // What the client says there is not looked at: it is the address that was checked.
    { written: "Host", value: authority },
    ...forwardsTo === undefined ? [] : upstreamFields(forwardsTo),
    ...fields.filter(({ name }) => name !== "host"),
    ...upgrade === undefined
      ? head.version === "1.0"
        ? [{ written: "Connection", value: "close" }]
        : []
      : [{ written: "Connection", value: "Upgrade" }, upgrade],
  ]);
}

/** Whether the request's body was sent. Never rejects: it is waited for late. */
async function sendBody(session: Session, head: RequestHead): Promise<boolean> {
  const { client, upstream, shared } = session;
  try {
    await client.copyBody(head.body, upstream);
  } catch (error) {
    if (!endsSession(error)) throw error;
    // The server would wait for the rest for ever, and we for the server.
    upstream.connection.close();
    return false;
  }
  void watchClient(session, shared.limits.headBytes);
  return true;
}

/** Nobody may be left to take the answer: then it is not waited for as long. */
async function watchClient(session: Session, limit: number): Promise<void> {
  const { client, shared } = session;
  try {
    if (client.waiting.length > 0 || await client.fill(limit)) return;
    session.allowIdle(shared.limits.halfClosedMs);
  } catch (error) {
    if (!endsSession(error)) throw error;
  }
}

/** Reads the answer's head, passes it on, and interim ones before it. */
async function passHead(
  session: Session,
  { head: request, upgrade, progress }: Exchange & {
    readonly upgrade: Field | undefined;
    readonly progress: Progress;
  },
): Promise<ResponseHead> {
  const { client, upstream, shared } = session;
  for (let count = 0; count < MAX_INTERIM; count++) {
    const bytes = await upstream.takeHead(shared.limits.headBytes);
    if (bytes === undefined) throw new HeadError("there is none");
    progress.hasHeard = true;
    const answer = parseResponseHead(fromBytes(bytes));
    if (session.forwardsTo !== undefined && answer.status === 407) {
      progress.wantsCredential = true;
      throw new HeadError("it is another proxy's question");
    }
    const isSwitch = answer.status === 101;
    if (isSwitch && upgrade === undefined) {
      throw new HeadError("it changes the protocol, which nobody asked for");
    }
    // Checked before anything of it is passed on.
    const body = bodyOfResponse(answer, request.method);
    if (body.kind === "chunked" && request.version === "1.0") {
      throw new HeadError("it is of a version that the client does not know");
    }
    const isInterim = answer.status < 200 && !isSwitch;
    if (!isInterim || request.version === "1.1") {
      progress.hasAnswer = !isInterim;
      const keep = body.kind !== "rest" && isPersistent(request);
      const text = responseHead(answer, isInterim ? undefined : keep);
      client.hold(toBytes(text));
      if (isInterim || isSwitch) await client.flush();
    }
    if (!isInterim) return answer;
  }
  throw new HeadError("there are only interim ones");
}

function responseHead(answer: ResponseHead, keep: boolean | undefined): string {
  const { status, reason, fields } = answer;
  const upgrade = fields.filter(({ name }) =>
    status === 101 && name === "upgrade"
  );
  const connection = status === 101 ? "Upgrade" : keep ? "keep-alive" : "close";
  return formatHead(`HTTP/1.1 ${status} ${reason}`, [
    ...endToEndFields(fields),
    ...upgrade,
    ...keep === undefined ? [] : [{ written: "Connection", value: connection }],
  ]);
}

function credentialWanted(
  { shared }: Session,
  { head, host, port }: Exchange,
  upstream: Upstream,
): Reply {
  const trouble = { kind: "credential" } as const;
  const { manifest } = shared;
  const blocked = { kind: "blocked", host, upstream, trouble } as const;
  const reply = notConnectedReply(blocked, { port, manifest });
  return { ...reply, isBare: head.method === "HEAD" };
}

function brokenReply(head: RequestHead): Reply {
  return {
    status: 502,
    phrase: "Bad Gateway",
    text:
      "Cannot pass the answer on: the server sent none, or a malformed one\n",
    isBare: head.method === "HEAD",
  };
}
