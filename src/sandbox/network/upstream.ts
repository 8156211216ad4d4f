/** A proxy of the user's own network: which one their environment gives for a connection, if any. */
import { isInNoProxy, noProxyEntries } from "../../base/no_proxy.ts";
import { kindOfAddress } from "./addresses.ts";
import type { Problem } from "./connect.ts";
import type { Credential } from "./credential.ts";
import {
  formatHost,
  isLoopbackName,
  type NormalHost,
  normaliseHost,
} from "./host_name.ts";
import { type IpAddress, networkHolds, parseNetwork } from "./ip.ts";

/** One such proxy. */
export interface Upstream {
  /** Its address without user name and password, for messages. ASCII. */
  readonly shown: string;
  /** The variable that names it. */
  readonly variable: string;
  /** `https` is http over TLS. */
  readonly scheme: "http" | "https" | "socks5";
  readonly host: NormalHost;
  readonly port: number;
  /** A secret. */
  readonly credential: Credential | undefined;
}

/** Why it gave no connection. */
export type UpstreamTrouble =
  | { readonly kind: "unreachable"; readonly problem: Problem }
  /** It wants a user name and a password, or others. */
  | { readonly kind: "credential" }
  | { readonly kind: "answer"; readonly text: string }
  | { readonly kind: "no-answer" };

/** How a connection is to be made. */
export type Route =
  | { readonly kind: "direct" }
  | { readonly kind: "upstream"; readonly upstream: Upstream }
  /** The variable's value is no address of a proxy that can be used. It is not shown: it may hold a password. */
  | { readonly kind: "unusable"; readonly variable: string };

/** What a route is chosen by. */
export interface Destination {
  readonly host: NormalHost;
  readonly port: number;
  /** Whether it is asked for by an address that starts with http://. */
  readonly isHttp: boolean;
  /** What the name was found at on this machine; none when it is not known here. */
  readonly addresses: readonly IpAddress[];
}

const DIRECT: Route = { kind: "direct" };
/** Kinds of addresses that mean another machine to whoever is on another machine. */
const HERE: ReadonlySet<string> = new Set(["loopback", "own"]);

/** The variables as other programs read them: in lower case before upper case, the scheme's own before `ALL_PROXY`. */
export class Upstreams {
  readonly #http: Route;
  readonly #https: Route;
  readonly #exempt: string;

  constructor(env: Readonly<Record<string, string>>) {
    this.#http = routeBy(env, ["HTTP_PROXY", "ALL_PROXY"]);
    this.#https = routeBy(env, ["HTTPS_PROXY", "ALL_PROXY"]);
    this.#exempt = env["no_proxy"] || env["NO_PROXY"] || "";
  }

  /** Whether there is any. */
  get isEmpty(): boolean {
    return this.#http === DIRECT && this.#https === DIRECT;
  }

  /** The way to a destination; `own` are this machine's addresses. What is on this machine is never asked of another one. */
  routeTo(destination: Destination, own: readonly IpAddress[]): Route {
    const { host, port, isHttp, addresses } = destination;
    // A tunnel may carry anything. On this port it is http, nearly always.
    const route = isHttp || port === 80 ? this.#http : this.#https;
    if (route === DIRECT) return DIRECT;
    const isName = host.kind === "name";
    const found = isName ? addresses : [host.address];
    const isHere = isName && isLoopbackName(host.text) || found.length > 0 &&
        found.every((address) => HERE.has(kindOfAddress(address, own)));
    return isHere || this.#isExempt(host, port) ? DIRECT : route;
  }

  #isExempt(host: NormalHost, port: number): boolean {
    if (isInNoProxy({ host: host.text, port }, this.#exempt)) return true;
    if (host.kind === "name") return false;
    return noProxyEntries(this.#exempt).some((entry) => {
      const network = parseNetwork(entry);
      return network !== undefined && networkHolds(network, host.address);
    });
  }
}

function routeBy(
  env: Readonly<Record<string, string>>,
  names: readonly string[],
): Route {
  const variable = names.flatMap((name) => [name.toLowerCase(), name])
    .find((name) => env[name]);
  if (variable === undefined) return DIRECT;
  const upstream = parseUpstream(env[variable]!, variable);
  return upstream === undefined
    ? { kind: "unusable", variable }
    : { kind: "upstream", upstream };
}

/** How each scheme is spoken, and its port. A name is always looked up by the proxy. */
const SCHEMES: Readonly<Record<string, readonly [Upstream["scheme"], number]>> =
  {
    "http:": ["http", 80],
    "https:": ["https", 443],
    "socks5:": ["socks5", 1080],
    "socks5h:": ["socks5", 1080],
  };
/** Bytes of a user name or a password that SOCKS can say. */
const MAX_CREDENTIAL = 255;

/** Reads `[SCHEME://][USER[:PASSWORD]@]HOST[:PORT]`; undefined for anything else. */
function parseUpstream(text: string, variable: string): Upstream | undefined {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  const [scheme, standardPort] = SCHEMES[url?.protocol ?? ""] ?? [];
  if (url === null || scheme === undefined) return undefined;
  // A password with one of these characters in it would be taken for a host and a path, and shown.
  if (!/^\/?$/.test(url.pathname) || url.search !== "" || url.hash !== "") {
    return undefined;
  }
  const result = normaliseHost(url.hostname);
  const max = scheme === "socks5" ? MAX_CREDENTIAL : Infinity;
  const credential = credentialOf(url, max);
  if (!result.ok || credential === null) return undefined;
  const port = Number(url.port || standardPort);
  return {
    shown: `${scheme}://${formatHost(result.host)}:${port}`,
    variable,
    scheme,
    host: result.host,
    port,
    credential,
  };
}

/** Undefined without user name and password; null when they cannot be used. */
function credentialOf(url: URL, max: number): Credential | undefined | null {
  if (url.username === "" && url.password === "") return undefined;
  try {
    const user = decodeURIComponent(url.username);
    const password = decodeURIComponent(url.password);
    const isLong = [user, password].some((text) =>
      new TextEncoder().encode(text).length > max
    );
    return isLong ? null : { user, password };
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return null;
  }
}
