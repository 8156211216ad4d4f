/** Calls on sockets of other processes, of which this one has a copy. Nothing here waits. Linux. */
import { isNonBlocking, setNonBlocking } from "./fds.ts";
import { ERRNO, syscall } from "./syscall.ts";

const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_ERROR = 4;
const SO_DOMAIN = 39;
const SO_COOKIE = 57;
const SO_BINDTOIFINDEX = 62;
const AF_UNIX = 1;
/** The number of the loopback interface, in every network. */
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
 * Makes a socket take packets of this machine only, for good: also those that it will accept. Only root can take that back.
 * Returns 0 or the negative errno; `-EPERM` when it is kept to another interface already.
 */
export function keepToLoopback(socket: number): number {
  if (socketOption(socket, SO_BINDTOIFINDEX) === BigInt(LOOPBACK)) return 0;
  const index = new Uint8Array(new Uint32Array([LOOPBACK]).buffer);
  return syscall(
    "setsockopt",
    socket,
    SOL_SOCKET,
    SO_BINDTOIFINDEX,
    index,
    index.length,
  );
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
