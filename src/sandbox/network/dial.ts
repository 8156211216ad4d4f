/** From a host that somebody asks for to a connection, or to the reason why there is none. */
import type { LookUp } from "../../os/dns.ts";
import {
  type Connected,
  type Connection,
  type ConnectProblem,
  connectTcp,
} from "../../os/sockets.ts";
import { within } from "../../os/timers.ts";
import { escapeControl } from "../../base/text.ts";
import type { ProxyEvent, ProxyProtocol } from "./events.ts";
import { isLoopbackName, type NormalHost, normaliseHost } from "./host_name.ts";
import { formatIp, type IpAddress, parseIp } from "./ip.ts";
import type { ProxyLimits } from "./limits.ts";
import {
  decideAddress,
  decideNormal,
  type Decision,
  type NetworkRules,
  type Refusal,
} from "./rules.ts";

/** What deciding and connecting needs. */
export interface Dialler {
  readonly rules: NetworkRules;
  readonly limits: ProxyLimits;
  readonly lookUp: LookUp;
  /** This machine's addresses, now. */
  readonly own: () => readonly IpAddress[];
  readonly audit: (event: ProxyEvent) => void;
  readonly now: () => number;
}

/** What is asked for. */
export interface Target {
  /** As it was written. */
  readonly host: string;
  readonly port: number;
  readonly protocol: ProxyProtocol;
}

/** What came of it. */
export type Dialled =
  | { readonly kind: "connected"; readonly connection: Connection }
  | {
    readonly kind: "refused";
    readonly host: string;
    readonly refusal: Refusal;
  }
  | {
    readonly kind: "failed";
    readonly host: string;
    readonly problem: ConnectProblem | "unknown-host";
  };

const LOOPBACK = ["127.0.0.1", "::1"].map((text) => parseIp(text)!);
/** Milliseconds after which the next address is tried as well (RFC 8305). */
const STAGGER_MS = 250;
const MAX_ADDRESSES = 16;
const MAX_SHOWN = 120;

/** Decides, resolves the name once, decides again for what it leads to, and connects to just that. */
export async function dial(dialler: Dialler, target: Target): Promise<Dialled> {
  const result = normaliseHost(target.host);
  if (!result.ok) {
    const host = escapeControl(target.host.slice(0, MAX_SHOWN));
    const refusal = { reason: "malformed", detail: result.problem } as const;
    tell(dialler, { ...target, host }, {
      decision: { allowed: false, refusal },
    });
    return { kind: "refused", host, refusal };
  }
  const { host } = result;
  const shown = { ...target, host: host.text };
  const own = dialler.own();
  const named = decideNormal(dialler.rules, { host, port: target.port }, own);
  if (!named.allowed) {
    tell(dialler, shown, { decision: named });
    return { kind: "refused", host: host.text, refusal: named.refusal };
  }
  const found = await addressesOf(host, dialler);
  const decision = decideAll(dialler.rules, {
    addresses: found,
    port: target.port,
    rule: named.rule,
    own,
  });
  const addresses = found.map(formatIp);
  tell(dialler, shown, { decision, addresses, rule: named.rule });
  if (!decision.allowed) {
    return { kind: "refused", host: host.text, refusal: decision.refusal };
  }
  return await connectAny(addresses, { ...shown, limits: dialler.limits });
}

async function addressesOf(
  host: NormalHost,
  { lookUp, limits }: Dialler,
): Promise<readonly IpAddress[]> {
  if (host.kind === "address") return [host.address];
  if (isLoopbackName(host.text)) return LOOPBACK;
  const answer = await within(lookUp(host.text), limits.resolveMs) ?? [];
  const addresses = answer.map(parseIp);
  // What cannot be read cannot be checked, and then the whole answer is not trusted.
  if (addresses.includes(undefined)) return [];
  return (addresses as IpAddress[]).slice(0, MAX_ADDRESSES);
}

/** Every address must be allowed: which of them is used would otherwise be up to who answers for the name. */
function decideAll(
  rules: NetworkRules,
  found: {
    readonly addresses: readonly IpAddress[];
    readonly port: number;
    readonly rule: string;
    readonly own: readonly IpAddress[];
  },
): Decision {
  const { addresses, port, own } = found;
  const rule = { text: found.rule };
  for (const address of addresses) {
    const decision = decideAddress(rules, { address, port, rule }, own);
    if (!decision.allowed) return decision;
  }
  return { allowed: true, rule: found.rule };
}

function tell(
  dialler: Dialler,
  target: Target,
  what: {
    readonly decision: Decision;
    readonly addresses?: readonly string[];
    readonly rule?: string;
  },
): void {
  const { decision } = what;
  const refusal = decision.allowed ? undefined : decision.refusal;
  const rule = decision.allowed ? decision.rule : what.rule ??
    (refusal?.reason === "other-port" ? refusal.rule : undefined);
  dialler.audit({
    time: dialler.now(),
    protocol: target.protocol,
    host: target.host,
    port: target.port,
    decision: decision.allowed ? "allowed" : "refused",
    rule,
    reason: refusal?.reason,
    addresses: what.addresses ?? [],
  });
}

/** Tries the addresses in their order, the next one when one fails or takes its time; the first connection counts. */
async function connectAny(
  addresses: readonly string[],
  target: Target & { readonly limits: ProxyLimits },
): Promise<Dialled> {
  const { host, port, limits } = target;
  if (addresses.length === 0) {
    return { kind: "failed", host, problem: "unknown-host" };
  }
  const stop = new AbortController();
  const attempts: Promise<Connected>[] = [];
  for (const address of addresses) {
    const attempt = connectTcp({ address, port }, {
      timeoutMs: limits.connectMs,
      signal: stop.signal,
    });
    attempts.push(attempt);
    const isLast = attempts.length === addresses.length;
    const first = await firstOf(attempts, isLast ? undefined : STAGGER_MS);
    if (first === undefined) continue;
    stop.abort();
    closeOthers(attempts, first);
    return { kind: "connected", connection: first };
  }
  const ends = await Promise.all(attempts);
  const problem = ends.map((end) => end.ok ? "aborted" : end.problem).at(0)!;
  return { kind: "failed", host, problem };
}

/** The first connection that there is; undefined when none comes in time, or when the newest attempt has failed. */
async function firstOf(
  attempts: readonly Promise<Connected>[],
  waitMs: number | undefined,
): Promise<Connection | undefined> {
  const connections = attempts.map(async (attempt) => {
    const end = await attempt;
    if (!end.ok) throw new NotConnected();
    return end.connection;
  });
  const any = Promise.any(connections).catch(noneOf);
  if (waitMs === undefined) return await any;
  const newest = connections.at(-1)!.catch(noneOf);
  return await within(Promise.race([any, newest]), waitMs);
}

/** Marks an attempt without a connection inside this file. */
class NotConnected extends Error {}

function noneOf(error: unknown): undefined {
  const isExpected = error instanceof NotConnected ||
    error instanceof AggregateError;
  if (!isExpected) throw error;
  return undefined;
}

function closeOthers(
  attempts: readonly Promise<Connected>[],
  kept: Connection,
): void {
  for (const attempt of attempts) {
    void attempt.then((end) => {
      if (end.ok && end.connection !== kept) end.connection.close();
    });
  }
}
