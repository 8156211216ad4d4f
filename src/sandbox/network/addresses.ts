/** What kind of address it is. Only public ones are reached without a grant of their own. */
import {
  type IpAddress,
  type IpNetwork,
  isSameIp,
  networkHolds,
  parseNetwork,
} from "./ip.ts";

/** The kinds. Everything but `public` is refused unless it is granted by address. */
export type AddressKind =
  | "public"
  /** Of this machine: a service that listens on all interfaces answers there. */
  | "own"
  | "loopback"
  | "private"
  | "link-local"
  /** Where clouds hand out their machines' credentials. */
  | "metadata"
  /** Shared by the customers of a carrier or a cloud (RFC 6598). */
  | "shared"
  | "multicast"
  /** `0.0.0.0`, `::` and their neighbours, which many systems take for this machine. */
  | "unspecified"
  /** For documentation, benchmarks, protocols, or not assigned. */
  | "reserved";

/** By address, first match wins. What is not here is public (IPv4) or reserved (IPv6). */
const TABLE: readonly (readonly [AddressKind, readonly string[]])[] = [
  ["metadata", [
    // The common one; container credentials (ECS, EKS); Azure's, which looks public; Oracle's; Alibaba's.
    "169.254.169.254/32",
    "169.254.170.2/32",
    "169.254.170.23/32",
    "168.63.129.16/32",
    "192.0.0.192/32",
    "100.100.100.200/32",
    // EC2, EKS, Google.
    "fd00:ec2::254/128",
    "fd00:ec2::23/128",
    "fd20:ce::254/128",
  ]],
  ["unspecified", ["0.0.0.0/8", "::/128"]],
  ["loopback", ["127.0.0.0/8", "::1/128"]],
  ["private", [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
    "fec0::/10",
    // Local-use NAT64: where it leads is the site's own affair.
    "64:ff9b:1::/48",
  ]],
  ["link-local", ["169.254.0.0/16", "fe80::/10"]],
  ["shared", ["100.64.0.0/10"]],
  ["multicast", ["224.0.0.0/4", "ff00::/8"]],
  ["reserved", [
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "2001:2::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:db8::/32",
    "3fff::/20",
  ]],
];

const NETWORKS: readonly {
  readonly kind: AddressKind;
  readonly network: IpNetwork;
}[] = TABLE.flatMap(([kind, texts]) =>
  texts.map((text) => ({ kind, network: parseNetwork(text)! }))
);

/** What stays what it is when an interface has such an address. */
const STRONGER_THAN_OWN: ReadonlySet<AddressKind> = new Set([
  "loopback",
  "metadata",
  "multicast",
  "unspecified",
]);

/** Global unicast: all that is assigned so far. */
const GLOBAL = parseNetwork("2000::/3")!;
const NAT64 = parseNetwork("64:ff9b::/96")!;
const SIX_TO_FOUR = parseNetwork("2002::/16")!;
const TEREDO = parseNetwork("2001::/32")!;

/** The kind of an address; `own` are this machine's addresses. */
export function kindOfAddress(
  address: IpAddress,
  own: readonly IpAddress[] = [],
): AddressKind {
  const found = NETWORKS.find(({ network }) => networkHolds(network, address));
  if (found !== undefined && STRONGER_THAN_OWN.has(found.kind)) {
    return found.kind;
  }
  if (own.some((mine) => isSameIp(mine, address))) return "own";
  if (found !== undefined) return found.kind;
  if (address.version === 4) return "public";
  const embedded = embeddedIpv4(address);
  if (embedded !== undefined) {
    const kinds = embedded.map((inner) => kindOfAddress(inner, own));
    return kinds.find((kind) => kind !== "public") ?? "public";
  }
  return networkHolds(GLOBAL, address) ? "public" : "reserved";
}

/** The IPv4 addresses that a packet to this IPv6 address may end up at; undefined for an ordinary one. */
function embeddedIpv4(address: IpAddress): IpAddress[] | undefined {
  const { words } = address;
  const at = (index: number, flip = 0): IpAddress => ({
    version: 4,
    words: [words[index]! ^ flip, words[index + 1]! ^ flip],
  });
  if (networkHolds(NAT64, address)) return [at(6)];
  if (networkHolds(SIX_TO_FOUR, address)) return [at(1)];
  // The server, and the client behind it, whose bits are inverted.
  if (networkHolds(TEREDO, address)) return [at(2), at(6, 0xffff)];
  return undefined;
}
