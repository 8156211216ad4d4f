/** From a host that somebody asks for to a connection, or to the reason why there is none. */
import type { Connection } from "../../os/sockets.ts";
import { escapeControl } from "../../base/text.ts";
import { addressesOf, connectAny, type Problem } from "./connect.ts";
import type { ProxyEvent, ProxyProtocol } from "./events.ts";
import { type NormalHost, normaliseHost } from "./host_name.ts";
import { formatIp, type IpAddress } from "./ip.ts";
import {
  decideAddress,
  decideNormal,
  type Decision,
  type NetworkRules,
  type Refusal,
} from "./rules.ts";
import type {
  Route,
  Upstream,
  Upstreams,
  UpstreamTrouble,
} from "./upstream.ts";
import {
  connectThrough,
  type Reach,
  reachUpstream,
} from "./upstream_connect.ts";

/** What deciding and connecting needs. */
export interface Dialler extends Reach {
  readonly rules: NetworkRules;
  /** This machine's addresses, now. */
  readonly own: () => readonly IpAddress[];
  readonly audit: (event: ProxyEvent) => void;
  readonly now: () => number;
  /** The proxies of the user's own network. */
  readonly upstreams: Upstreams;
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
  | {
    readonly kind: "connected";
    readonly connection: Connection;
    /** The proxy that the connection leads to, which wants the whole address in a request; else it leads to the host. */
    readonly upstream?: Upstream;
  }
  | {
    readonly kind: "refused";
    readonly host: string;
    readonly refusal: Refusal;
  }
  | {
    readonly kind: "failed";
    readonly host: string;
    readonly problem: Problem;
  }
  /** A proxy of the user's own network is in the way. */
  | {
    readonly kind: "blocked";
    readonly host: string;
    readonly upstream: Upstream;
    readonly trouble: UpstreamTrouble;
  }
  /** A variable of the user's environment names a proxy that cannot be used. */
  | {
    readonly kind: "unusable";
    readonly host: string;
    readonly variable: string;
  };

/** A target whose host was read. */
interface Known extends Target {
  readonly normal: NormalHost;
}

const MAX_SHOWN = 120;

/**
 * Decides, resolves the name once, decides again for what it leads to, and connects to just that; or asks a proxy of the
 * user's own network to, which resolves the name itself.
 */
export async function dial(
  dialler: Dialler,
  target: Target,
  signal: AbortSignal,
): Promise<Dialled> {
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
  const shown = { ...target, host: host.text, normal: host };
  const own = dialler.own();
  const named = decideNormal(dialler.rules, { host, port: target.port }, own);
  if (!named.allowed) {
    tell(dialler, shown, { decision: named });
    return { kind: "refused", host: host.text, refusal: named.refusal };
  }
  const { addresses, route } = await routeOf(dialler, shown, own);
  const decision = decideAll(dialler.rules, {
    addresses,
    port: target.port,
    rule: named.rule,
    own,
  });
  const via = route.kind === "upstream" ? route.upstream.shown : undefined;
  const told = { addresses: addresses.map(formatIp), rule: named.rule, via };
  tell(dialler, shown, { decision, ...told });
  if (!decision.allowed) {
    return { kind: "refused", host: host.text, refusal: decision.refusal };
  }
  return await connect(dialler, shown, { addresses, route, signal });
}

/** The addresses of a host as far as they are known here, and the way to it. */
async function routeOf(
  { lookUp, limits, upstreams }: Dialler,
  { normal: host, port, protocol }: Known,
  own: readonly IpAddress[],
): Promise<
  { readonly addresses: readonly IpAddress[]; readonly route: Route }
> {
  const known = { host, port, isHttp: protocol === "http" };
  const isDirect =
    upstreams.routeTo({ ...known, addresses: [] }, own).kind === "direct";
  // Where a proxy looks names up, this machine often cannot.
  const resolveMs = isDirect ? limits.resolveMs : limits.checkMs;
  const addresses = await addressesOf(host, { lookUp, resolveMs });
  return { addresses, route: upstreams.routeTo({ ...known, addresses }, own) };
}

async function connect(
  dialler: Dialler,
  { host, normal, port, protocol }: Known,
  { addresses, route, signal }: {
    readonly addresses: readonly IpAddress[];
    readonly route: Route;
    readonly signal: AbortSignal;
  },
): Promise<Dialled> {
  if (route.kind === "unusable") return { ...route, host };
  if (route.kind === "direct") {
    const timeoutMs = dialler.limits.connectMs;
    const end = await connectAny({ addresses, port, timeoutMs, signal });
    return end.ok
      ? { kind: "connected", connection: end.connection }
      : { kind: "failed", host, problem: end.problem };
  }
  const { upstream } = route;
  // Many of them take CONNECT for https only.
  const isForwarded = protocol === "http" && upstream.scheme !== "socks5";
  const end = isForwarded
    ? await reachUpstream(upstream, dialler, signal)
    : await connectThrough(upstream, { host: normal, port }, {
      reach: dialler,
      signal,
    });
  if (!end.ok) {
    return { kind: "blocked", host, upstream, trouble: end.trouble };
  }
  const { connection } = end;
  return isForwarded
    ? { kind: "connected", connection, upstream }
    : { kind: "connected", connection };
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
    readonly via?: string | undefined;
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
    ...(what.via === undefined ? {} : { via: what.via }),
  });
}
