/** Calls on sockets of other processes, of which this one has a copy. Nothing here waits. Linux. */
import { isNonBlocking, setNonBlocking } from "./fds.ts";
import { addressOf, ERRNO, syscall } from "./syscall.ts";

const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_ERROR = 4;
const SO_ATTACH_FILTER = 26;
const SO_DOMAIN = 39;
const SO_LOCK_FILTER = 44;
const SO_COOKIE = 57;
const AF_UNIX = 1;
const MAX_ADDRESS_BYTES = 128;
/** Where a filter for packets finds the number of the interface; the loopback's is 1 in every network. */
const INTERFACE = 0xfffff000 + 8;
const LOOPBACK = 1;

/**
 * Begins to connect. Returns 0, or the negative errno; `-EINPROGRESS` when the answer will come. `waits` says whether the
 * socket is one whose owner means to wait.
 */
export function beginConnect(
  socket: number,
  address: Uint8Array<ArrayBuffer>,
): { readonly result: number; readonly waits: boolean } {
  const nonBlocking = isNonBlocking(socket);
  if (typeof nonBlocking === "number") {
    return { result: nonBlocking, waits: false };
  }
  // The flag belongs to the open socket, which its owner shares: it is put back at once.
  if (!nonBlocking) setNonBlocking(socket, true);
  const result = syscall("connect", socket, address, address.length);
  if (!nonBlocking) setNonBlocking(socket, false);
  return { result, waits: !nonBlocking };
}

/** The address of a Unix socket that `fd` names, for {@link beginConnect}: no other can take its place. */
export function addressOfSocketFile(fd: number): Uint8Array<ArrayBuffer> {
  const path = new TextEncoder().encode(`/proc/self/fd/${fd}\0`);
  return new Uint8Array([AF_UNIX, 0, ...path]);
}

/** Begins to listen. Returns 0 or the negative errno. */
export function beginListen(socket: number, backlog: number): number {
  return syscall("listen", socket, backlog);
}

/**
 * Makes a socket take packets of this machine only, for good: also those that it will accept. Returns 0 or the negative
 * errno.
 */
export function keepToLoopback(socket: number): number {
  // load the interface; if it is the loopback: keep the packet, else drop it
  const program = new Uint8Array(
    new Uint16Array([
      ...[0x20, 0, INTERFACE & 0xffff, INTERFACE >>> 16],
      ...[0x15, 0x0100, LOOPBACK, 0],
      ...[0x06, 0, 0xffff, 0xffff],
      ...[0x06, 0, 0, 0],
    ]).buffer,
  );
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  view.setUint16(0, program.length / 8, true);
  view.setBigUint64(8, addressOf(program), true);
  const attached = setOption(socket, SO_ATTACH_FILTER, [header, program]);
  if (attached < 0) return attached;
  const yes = new Uint8Array(new Uint32Array([1]).buffer);
  return setOption(socket, SO_LOCK_FILTER, [yes]);
}

/** `memory` is the value, and what it points to. */
function setOption(
  socket: number,
  option: number,
  memory: readonly Uint8Array<ArrayBuffer>[],
): number {
  const [value, ...kept] = memory as [Uint8Array<ArrayBuffer>];
  const args = [socket, SOL_SOCKET, option, value, value.length] as const;
  return syscall("setsockopt", ...args, ...kept);
}

/** The address that a socket is bound to, as the kernel has it; empty when it cannot be told. */
export function boundAddress(socket: number): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(MAX_ADDRESS_BYTES);
  const length = new Uint32Array([MAX_ADDRESS_BYTES]);
  const bytes = new Uint8Array(length.buffer);
  const result = syscall("getsockname", socket, address, bytes);
  return address.subarray(0, result < 0 ? 0 : length[0]);
}

/** The error that a socket has to report, as a negative errno, or 0; it is reported once. */
export function pendingError(socket: number): number {
  const error = socketOption(socket, SO_ERROR);
  return error === undefined ? -ERRNO.ECONNREFUSED : -Number(error);
}

/** What kind of socket a descriptor is; undefined when it is none. */
export function socketKind(
  fd: number,
): { readonly family: number; readonly type: number } | undefined {
  const family = socketOption(fd, SO_DOMAIN);
  const type = socketOption(fd, SO_TYPE);
  if (family === undefined || type === undefined) return undefined;
  return { family: Number(family), type: Number(type) };
}

/** A number that no other socket has had since the machine was started. */
export function socketCookie(fd: number): bigint | undefined {
  return socketOption(fd, SO_COOKIE, 8);
}

function socketOption(
  fd: number,
  option: number,
  size: 4 | 8 = 4,
): bigint | undefined {
  const value = new Uint8Array(8);
  const length = new Uint8Array(new Uint32Array([size]).buffer);
  const result = syscall("getsockopt", fd, SOL_SOCKET, option, value, length);
  if (result < 0) return undefined;
  const view = new DataView(value.buffer);
  return size === 8
    ? view.getBigUint64(0, true)
    : BigInt(view.getInt32(0, true));
}
