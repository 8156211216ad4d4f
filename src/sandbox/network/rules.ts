/** `network.allow`, understood: what an entry means, and what a host gets from all of them. */
import { entryError } from "./entry_error.ts";
import { type AddressKind, kindOfAddress } from "./addresses.ts";
import {
  isLoopbackName,
  type NormalHost,
  normaliseHost,
  parsePort,
  splitAuthority,
} from "./host_name.ts";
import {
  bitsOf,
  formatIp,
  type IpAddress,
  type IpNetwork,
  networkHolds,
  parseNetwork,
} from "./ip.ts";
import { isPreset, type PresetHosts, presetHosts } from "./presets.ts";

/** Ports that a rule without one is for: http and https. */
export const WEB_PORTS: readonly number[] = [80, 443];

interface RuleBase {
  /** The entry as it is written in the manifest. */
  readonly text: string;
  /** Never empty. */
  readonly ports: readonly number[] | "any";
}

/** One thing that may be connected to. */
export type HostRule =
  /** Exactly this name. */
  | (RuleBase & { readonly kind: "name"; readonly name: string })
  /** Every name below this one, and not the name itself. */
  | (RuleBase & { readonly kind: "below"; readonly name: string })
  /** These addresses, asked for as such or found under an allowed name. */
  | (RuleBase & { readonly kind: "network"; readonly network: IpNetwork })
  /** Ports of this machine. */
  | (RuleBase & {
    readonly kind: "loopback";
    readonly ports: readonly number[];
  });

/** All rules of a launch. None: nothing may be connected to. */
export type NetworkRules = readonly HostRule[];

/** What became of a question, with the rule that decided. */
export type Decision =
  | { readonly allowed: true; readonly rule: string }
  | { readonly allowed: false; readonly refusal: Refusal };

/** Why not. */
export type Refusal =
  /** The text is no host: `detail` says why. */
  | { readonly reason: "malformed"; readonly detail: string }
  /** No entry names the host. */
  | { readonly reason: "not-listed" }
  /** An entry names the host, for other ports. */
  | { readonly reason: "other-port"; readonly rule: string }
  /** The host is named, and it is, or leads to, an address that no entry grants. */
  | {
    readonly reason: "address";
    readonly address: string;
    readonly kind: AddressKind;
  };

/** Kinds that an entry has to name one by one: a network that happens to hold them is not enough. */
const EXACT_ONLY: ReadonlySet<AddressKind> = new Set(["metadata", "own"]);
/** Kinds that nothing grants: there is nothing useful there. */
const NEVER: ReadonlySet<AddressKind> = new Set(["multicast", "unspecified"]);
/** Shorter prefixes would make the list as good as open. */
const MIN_BITS = { 4: 8, 6: 16 } as const;

const LOOPBACK = [parseNetwork("127.0.0.1/32")!, parseNetwork("::1/128")!];

/** The rules of these entries. Throws `NETWORK_RULE_INVALID`. */
export function parseRules(
  entries: readonly string[],
  hosts: PresetHosts,
): NetworkRules {
  return entries.flatMap((entry) =>
    isPreset(entry)
      ? presetHosts(entry, hosts).map((host) => parseEntry(host, entry))
      : [parseEntry(entry)]
  );
}

/** One entry that is no preset; `text` is what is shown for it. Throws `NETWORK_RULE_INVALID`. */
export function parseEntry(entry: string, text = entry): HostRule {
  refuseAddressBar(entry);
  const network = entry.includes("/") ? networkEntry(entry) : undefined;
  if (network !== undefined) return networkRule(network, { entry, text });
  const { host, port } = splitAuthority(entry);
  const ports = portsOf(port, entry);
  if (host.startsWith("*.")) {
    return { kind: "below", name: wildcardBase(host, entry), ports, text };
  }
  if (host.includes("*")) {
    throw entryError(
      entry,
      "a star stands for whole labels, at the start only",
      { hint: 'Write it as *.example.com; network = "open" allows every host' },
    );
  }
  const normal = hostOf(host, entry);
  if (isLoopback(normal)) return loopbackRule(port, { entry, text });
  if (normal.kind === "name") {
    return { kind: "name", name: normal.text, ports, text };
  }
  const { address } = normal;
  const bits = bitsOf(address.version);
  return networkRule({ network: { base: address, bits }, ports }, {
    entry,
    text,
  });
}

function refuseAddressBar(entry: string): void {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(entry)?.[0];
  if (scheme === undefined) return;
  throw entryError(entry, "it is an address, not a host", {
    hint: "Leave out the scheme and the path: example.com, or example.com:8080",
  });
}

function networkEntry(
  entry: string,
): { network: IpNetwork; ports: HostRule["ports"] } {
  const [, bracketed, plain, port] =
    /^(?:\[([^\]]*)\]|([^[\]]*?))(?::([0-9*]*))?$/.exec(
      // An IPv6 network without brackets has no port.
      entry.includes("[") || !/:.*:/.test(entry) ? entry : `[${entry}]`,
    ) ?? [];
  const network = parseNetwork(bracketed ?? plain ?? "");
  if (network === undefined) {
    throw entryError(entry, "it is no network", {
      hint:
        "Write it as 10.1.0.0/16 or 10.1.0.0/16:5432, with the bits after the prefix zero",
    });
  }
  return { network, ports: portsOf(port, entry) };
}

interface Written {
  readonly entry: string;
  readonly text: string;
}

function networkRule(
  { network, ports }: { network: IpNetwork; ports: HostRule["ports"] },
  { entry, text }: Written,
): HostRule {
  const { base, bits } = network;
  const kind = kindOfAddress(base);
  if (NEVER.has(kind) || kind === "loopback") {
    throw entryError(entry, `${kind} addresses cannot be allowed`, {
      hint: "For a service of this machine write localhost:PORT",
    });
  }
  if (bits < MIN_BITS[base.version]) {
    throw entryError(entry, "the network is too large", {
      hint: "Name a smaller one",
    });
  }
  return { kind: "network", network, ports, text };
}

function loopbackRule(
  port: string | undefined,
  { entry, text }: Written,
): HostRule {
  const number = port === undefined ? undefined : parsePort(port);
  if (number === undefined) {
    throw entryError(entry, "a service of this machine is named by its port", {
      hint: "Write it as localhost:PORT",
    });
  }
  return { kind: "loopback", ports: [number], text };
}

function isLoopback(host: NormalHost): boolean {
  return host.kind === "name"
    ? isLoopbackName(host.text)
    : LOOPBACK.some((network) => networkHolds(network, host.address));
}

function portsOf(port: string | undefined, entry: string): HostRule["ports"] {
  if (port === undefined) return WEB_PORTS;
  if (port === "*") return "any";
  const number = parsePort(port);
  if (number !== undefined) return [number];
  throw entryError(entry, "its port is no number from 1 to 65535", {
    hint: "Write it as example.com:8080, or example.com:* for every port",
  });
}

function wildcardBase(host: string, entry: string): string {
  const base = hostOf(host.slice(2), entry);
  if (base.kind === "address") {
    throw entryError(entry, "nothing is below an address", {
      hint: "Name the address",
    });
  }
  if (isLoopbackName(base.text)) {
    throw entryError(entry, "it is this machine", {
      hint: "Write it as localhost:PORT",
    });
  }
  if (base.text.includes(".")) return base.text;
  throw entryError(entry, "it stands for a whole top-level domain", {
    hint: "Name at least two labels: *.example.com",
  });
}

function hostOf(host: string, entry: string): NormalHost {
  const result = normaliseHost(host);
  if (result.ok) return result.host;
  throw entryError(entry, result.problem, { hint: "Write it as example.com" });
}

/** The ports of this machine that entries grant by number, in order: they may be connected to without the proxy. Those of presets may not. */
export function loopbackPorts(rules: NetworkRules): number[] {
  const ports = rules.flatMap((rule) =>
    rule.kind === "loopback" && !isPreset(rule.text) ? rule.ports : []
  );
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** A decision for a host as somebody wrote it. A name is allowed here as such; its addresses are {@link decideAddress}'s. */
export function decideHost(
  rules: NetworkRules,
  target: { readonly host: string; readonly port: number },
  own: readonly IpAddress[] = [],
): Decision {
  const result = normaliseHost(target.host);
  if (!result.ok) {
    const { problem: detail } = result;
    return { allowed: false, refusal: { reason: "malformed", detail } };
  }
  return decideNormal(rules, { host: result.host, port: target.port }, own);
}

/** {@link decideHost} for a host that is normalised already. */
export function decideNormal(
  rules: NetworkRules,
  target: { readonly host: NormalHost; readonly port: number },
  own: readonly IpAddress[] = [],
): Decision {
  const { host, port } = target;
  const named = rules.filter((rule) => isNamed(rule, host));
  const rule = named.find((rule) => hasPort(rule, port));
  if (rule !== undefined) {
    return host.kind === "name" || rule.kind === "loopback"
      ? { allowed: true, rule: rule.text }
      : decideAddress(rules, { address: host.address, port, rule }, own);
  }
  const [other] = named;
  return {
    allowed: false,
    refusal: other === undefined
      ? { reason: "not-listed" }
      : { reason: "other-port", rule: other.text },
  };
}

function isNamed(rule: HostRule, host: NormalHost): boolean {
  switch (rule.kind) {
    case "name":
      return host.kind === "name" && host.text === rule.name;
    case "below":
      return host.kind === "name" && host.text.endsWith("." + rule.name);
    case "network":
      return host.kind === "address" &&
        networkHolds(rule.network, host.address);
    case "loopback":
      return isLoopback(host);
  }
}

function hasPort(rule: HostRule, port: number): boolean {
  return rule.ports === "any" || rule.ports.includes(port);
}

/** A decision for an address that an allowed host (by `rule`) turned out to have. */
export function decideAddress(
  rules: NetworkRules,
  target: {
    readonly address: IpAddress;
    readonly port: number;
    readonly rule: HostRule | { readonly text: string };
  },
  own: readonly IpAddress[],
): Decision {
  const { address, port, rule } = target;
  const kind = kindOfAddress(address, own);
  if (kind === "public") return { allowed: true, rule: rule.text };
  const grant = rules.find((rule) =>
    hasPort(rule, port) && grants(rule, address, kind)
  );
  return grant === undefined
    ? {
      allowed: false,
      refusal: { reason: "address", address: formatIp(address), kind },
    }
    : { allowed: true, rule: rule.text };
}

function grants(
  rule: HostRule,
  address: IpAddress,
  kind: AddressKind,
): boolean {
  if (rule.kind === "loopback") {
    return LOOPBACK.some((network) => networkHolds(network, address));
  }
  if (rule.kind !== "network" || NEVER.has(kind) || kind === "loopback") {
    return false;
  }
  const isExact = rule.network.bits === bitsOf(address.version);
  return networkHolds(rule.network, address) &&
    (isExact || !EXACT_ONLY.has(kind));
}
