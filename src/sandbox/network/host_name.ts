/** Names of hosts, from whoever: read once, written one way. Everything that decides uses only the result. */
import { formatIp, type IpAddress, parseIpv4, parseIpv6 } from "./ip.ts";

/** A host in its one spelling. */
export type NormalHost =
  | { readonly kind: "name"; readonly text: string }
  | {
    readonly kind: "address";
    readonly text: string;
    readonly address: IpAddress;
  };

/** Why a text is no host. */
export type HostProblem =
  | "it is empty"
  | "it is too long"
  | "it holds a control character or a space"
  | "it holds a percent sign"
  | "it holds a user name"
  | "it holds a character that no host name has"
  | "it has an empty label, or one of more than 63 characters"
  | "it has a label that starts or ends with a hyphen"
  | "it ends in a number and is no IPv4 address"
  | "it is no IPv6 address"
  | "it is no valid international name";

/** What {@link normaliseHost} found. */
export type HostResult =
  | { readonly ok: true; readonly host: NormalHost }
  | { readonly ok: false; readonly problem: HostProblem };

const MAX_NAME = 253;
/** Longest text that is looked at: an international name gets longer, not shorter, in ASCII. */
const MAX_TEXT = 1024;

// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u0020\u007f-\u00a0\u2028\u2029\u3000\ufeff]/;
// deno-lint-ignore no-control-regex
const ASCII = /^[\u0000-\u007f]*$/;
const NAME = /^[a-z0-9_.-]+$/;
/** A last label for which every program looks for an IPv4 address. */
const NUMERIC_END = /(^|\.)([0-9]+|0x[0-9a-f]*)$/;

function refuse(problem: HostProblem): HostResult {
  return { ok: false, problem };
}

/** Reads a host without a port: a name, an IPv4 address in any spelling, an IPv6 address with or without brackets. */
export function normaliseHost(text: string): HostResult {
  if (text === "") return refuse("it is empty");
  if (text.length > MAX_TEXT) return refuse("it is too long");
  if (CONTROL.test(text)) {
    return refuse("it holds a control character or a space");
  }
  if (text.includes("%")) return refuse("it holds a percent sign");
  if (text.includes("@")) return refuse("it holds a user name");
  if (text.includes(":") || text.startsWith("[")) return normaliseIpv6(text);
  if (/[/\\?#[\]]/.test(text)) {
    return refuse("it holds a character that no host name has");
  }
  if (ASCII.test(text) && !/xn--/i.test(text)) {
    return normaliseAscii(text.toLowerCase());
  }
  const ascii = toAscii(text);
  return ascii === undefined
    ? refuse("it is no valid international name")
    : normaliseAscii(ascii);
}

function normaliseIpv6(text: string): HostResult {
  const bare = /^\[(.*)\]$/s.exec(text)?.[1] ?? text;
  const address = parseIpv6(bare);
  return address === undefined
    ? refuse("it is no IPv6 address")
    : addressResult(address);
}

function addressResult(address: IpAddress): HostResult {
  const host: NormalHost = {
    kind: "address",
    text: formatIp(address),
    address,
  };
  return { ok: true, host };
}

/** By the rules of browsers (UTS 46), which also check a name that is in ASCII form already. */
function toAscii(text: string): string | undefined {
  const url = URL.parse(`http://${text}/`);
  return url === null || url.hostname === "" ? undefined : url.hostname;
}

function normaliseAscii(lower: string): HostResult {
  const name = lower.endsWith(".") ? lower.slice(0, -1) : lower;
  if (name === "") return refuse("it is empty");
  if (!NAME.test(name)) {
    return refuse("it holds a character that no host name has");
  }
  if (NUMERIC_END.test(name)) {
    const address = parseIpv4(name);
    return address === undefined
      ? refuse("it ends in a number and is no IPv4 address")
      : addressResult(address);
  }
  if (name.length > MAX_NAME) return refuse("it is too long");
  for (const label of name.split(".")) {
    if (label === "" || label.length > 63) {
      return refuse("it has an empty label, or one of more than 63 characters");
    }
    if (label.startsWith("-") || label.endsWith("-")) {
      return refuse("it has a label that starts or ends with a hyphen");
    }
  }
  return { ok: true, host: { kind: "name", text: name } };
}

/** A port as it may be written; undefined for anything else. */
export function parsePort(text: string): number | undefined {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65535 ? port : undefined;
}

/** `HOST:PORT`, `[IPV6]:PORT` or either without a port, split and not yet checked. An IPv6 address with a port needs its brackets. */
export function splitAuthority(
  text: string,
): { readonly host: string; readonly port: string | undefined } {
  const bracketed = /^(\[[^\]]*\])(?::(.*))?$/s.exec(text);
  if (bracketed) return { host: bracketed[1]!, port: bracketed[2] };
  const colon = text.indexOf(":");
  if (colon < 0 || colon !== text.lastIndexOf(":")) {
    return { host: text, port: undefined };
  }
  return { host: text.slice(0, colon), port: text.slice(colon + 1) };
}

/** The host as it stands in an address: IPv6 in brackets. */
export function formatHost(host: NormalHost): string {
  return host.kind === "address" && host.address.version === 6
    ? `[${host.text}]`
    : host.text;
}

/** Whether the name always means this machine (RFC 6761). */
export function isLoopbackName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost");
}
