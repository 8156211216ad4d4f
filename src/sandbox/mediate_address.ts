/** Socket addresses as the kernel has them, read into values. */

/** Where a process wants to connect to. */
export type SocketAddress =
  /** Gives up a connection. */
  | { readonly kind: "none" }
  | {
    readonly kind: "internet";
    readonly address: string;
    readonly port: number;
  }
  /** A path as the process wrote it, without the end; relative to its own directory unless it begins with a slash. */
  | { readonly kind: "path"; readonly path: Uint8Array<ArrayBuffer> }
  /** A Unix socket that has no path. */
  | { readonly kind: "abstract" }
  | { readonly kind: "netlink" }
  | { readonly kind: "invalid" };

const AF_UNSPEC = 0;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const INET_BYTES = 16;
const INET6_BYTES = 24;
/** The longest address that the kernel takes. */
export const MAX_ADDRESS_BYTES = 128;

/** Reads an address for a socket of this family. One of another family is invalid. */
export function readSocketAddress(
  bytes: Uint8Array<ArrayBuffer>,
  family: number,
): SocketAddress {
  if (bytes.length < 2) return { kind: "invalid" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const named = view.getUint16(0, true);
  const isInternet = family === AF_INET || family === AF_INET6;
  if (named === AF_UNSPEC && isInternet) return { kind: "none" };
  if (named !== family) return { kind: "invalid" };
  switch (family) {
    case AF_UNIX:
      return unixAddress(bytes);
    case AF_INET:
      if (bytes.length < INET_BYTES) return { kind: "invalid" };
      return internet(bytes.subarray(4, 8), view.getUint16(2));
    case AF_INET6:
      if (bytes.length < INET6_BYTES) return { kind: "invalid" };
      return internet(bytes.subarray(8, 24), view.getUint16(2));
    case AF_NETLINK:
      return { kind: "netlink" };
    default:
      return { kind: "invalid" };
  }
}

function unixAddress(bytes: Uint8Array<ArrayBuffer>): SocketAddress {
  const name = bytes.subarray(2);
  if (name.length === 0) return { kind: "invalid" };
  if (name[0] === 0) return { kind: "abstract" };
  const end = name.indexOf(0);
  return { kind: "path", path: name.slice(0, end < 0 ? undefined : end) };
}

function internet(
  bytes: Uint8Array<ArrayBuffer>,
  port: number,
): SocketAddress {
  return { kind: "internet", address: addressText(bytes), port };
}

/**
 * One text for each machine that the kernel would connect to: an IPv4 address in an IPv6 one is that IPv4 address, and
 * no address is this machine.
 */
function addressText(bytes: Uint8Array<ArrayBuffer>): string {
  if (bytes.length === 4) {
    return bytes.every((byte) => byte === 0) ? "127.0.0.1" : bytes.join(".");
  }
  const head = bytes.subarray(0, 12);
  const isMapped = head.every((byte, i) => byte === (i < 10 ? 0 : 0xff));
  if (isMapped) return addressText(bytes.subarray(12));
  if (bytes.every((byte) => byte === 0)) return "::1";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i));
  return compressed(words);
}

/** As RFC 5952 has it. */
function compressed(words: readonly number[]): string {
  let [start, length] = [0, 0];
  for (let i = 0; i < words.length; i++) {
    let end = i;
    while (words[end] === 0) end++;
    if (end - i > Math.max(length, 1)) [start, length] = [i, end - i];
  }
  const text = (part: readonly number[]) =>
    part.map((word) => word.toString(16)).join(":");
  if (length === 0) return text(words);
  return `${text(words.slice(0, start))}::${text(words.slice(start + length))}`;
}
