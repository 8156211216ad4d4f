/** Two connected sockets of Linux, and descriptors handed through them. */
import type { Step } from "./clone.ts";
import { addressOf, ERRNO, syscall } from "./syscall.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;
/** struct cmsghdr with one descriptor, and what aligns it. */
const CONTROL_BYTES = 24;
const CONTROL_LENGTH = 20n;

/** Both ends, neither inherited by programs; or the negative errno. */
export function socketPair(): readonly [number, number] | number {
  const ends = new Int32Array(2);
  const result = syscall(
    "socketpair",
    AF_UNIX,
    SOCK_STREAM | SOCK_CLOEXEC,
    0,
    new Uint8Array(ends.buffer),
  );
  return result < 0 ? result : [ends[0]!, ends[1]!];
}

/**
 * Sends one byte and a copy of the descriptor whose number is filled in at `slot`: there a step before it writes its result.
 */
export function sendDescriptorStep(
  socket: number,
): { readonly step: Step; readonly slot: bigint } {
  const control = new Uint8Array(CONTROL_BYTES);
  const view = new DataView(control.buffer);
  view.setBigUint64(0, CONTROL_LENGTH, true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  const { header, keep } = messageWith(new Uint8Array([1]), control);
  return {
    step: { call: "sendmsg", args: [socket, header, MSG_NOSIGNAL, ...keep] },
    slot: addressOf(control) + 16n,
  };
}

/** Takes a descriptor that was sent, without waiting. Returns it, or the negative errno; `-EBADF` when none came. */
export function receiveDescriptor(socket: number): number {
  const message = messageWith(new Uint8Array(1), new Uint8Array(64));
  const flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
  const args = [socket, message.header, flags, ...message.keep] as const;
  const count = syscall("recvmsg", ...args);
  if (count < 0) return count;
  return descriptorOf(message) ?? -ERRNO.EBADF;
}

/** What {@link messageWith} laid out: struct msghdr, and the memory that it points to. */
interface Message {
  readonly header: Uint8Array<ArrayBuffer>;
  readonly keep: readonly [
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>,
  ];
}

/** A message of one piece of data, and of control data. */
function messageWith(
  data: Uint8Array<ArrayBuffer>,
  control: Uint8Array<ArrayBuffer>,
): Message {
  const piece = new Uint8Array(
    new BigUint64Array([addressOf(data), BigInt(data.length)]).buffer,
  );
  const header = new Uint8Array(56);
  const view = new DataView(header.buffer);
  view.setBigUint64(16, addressOf(piece), true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, addressOf(control), true);
  view.setBigUint64(40, BigInt(control.length), true);
  return { header, keep: [piece, data, control] };
}

/** The descriptor that came with a message; undefined when there is not exactly one. */
function descriptorOf(message: Message): number | undefined {
  const { header, keep: [, , control] } = message;
  const length = new DataView(header.buffer).getBigUint64(40, true);
  const view = new DataView(control.buffer);
  const isOne = length >= CONTROL_LENGTH &&
    view.getBigUint64(0, true) === CONTROL_LENGTH &&
    view.getInt32(8, true) === SOL_SOCKET &&
    view.getInt32(12, true) === SCM_RIGHTS;
  return isOne ? view.getInt32(16, true) : undefined;
}
