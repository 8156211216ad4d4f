/** Sockets as plain descriptors and addresses as the kernel has them. Linux. */
import { closeDescriptor } from "./fds.ts";
import { syscall } from "./syscall.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const MAX_ADDRESS_BYTES = 128;

/** An address for connect(2) and bind(2). */
export type AddressBytes = Uint8Array<ArrayBuffer>;

/** The address of a Unix socket: a path, or with a NUL in front an abstract name. */
export function unixAddress(name: string): AddressBytes {
  const text = new TextEncoder().encode(name);
  const end = name.startsWith("\0") ? [] : [0];
  return new Uint8Array([AF_UNIX, 0, ...text, ...end]);
}

/** 127.0.0.1 with a port; 0 for one that is free. */
export function loopbackAddress(port: number): AddressBytes {
  const address = new Uint8Array(16);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  address.set([127, 0, 0, 1], 4);
  return address;
}

/** A stream socket for addresses of this kind, not inherited by programs. Returns the descriptor or the negative errno. */
export function openSocket(address: AddressBytes): number {
  return syscall("socket", address[0]!, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/** A socket that listens, with the address that it has; or the negative errno. */
export function listenAtAddress(
  address: AddressBytes,
): { readonly socket: number; readonly address: AddressBytes } | number {
  const socket = openSocket(address);
  if (socket < 0) return socket;
  const bound = syscall("bind", socket, address, address.length);
  const result = bound < 0 ? bound : syscall("listen", socket, 1);
  if (result < 0) {
    closeDescriptor(socket);
    return result;
  }
  const own = new Uint8Array(MAX_ADDRESS_BYTES);
  const length = new Uint32Array([MAX_ADDRESS_BYTES]);
  const bytes = new Uint8Array(length.buffer);
  syscall("getsockname", socket, own, bytes);
  return { socket, address: own.slice(0, length[0]) };
}
