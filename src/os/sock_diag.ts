/** Asks the kernel which socket would take a connection. Linux. */
import { closeDescriptor } from "./fds.ts";
import { syscall } from "./syscall.ts";

const AF_NETLINK = 16;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const IPPROTO_TCP = 6;
const TCP_LISTEN = 10;
const MSG_DONTWAIT = 0x40;
/** struct nlmsghdr, and struct inet_diag_req_v2. */
const HEADER_BYTES = 16;
const REQUEST_BYTES = HEADER_BYTES + 56;
/** Where struct inet_diag_sockid lies in a request and in an answer, and the cookie in it. */
const ASKED_ID = HEADER_BYTES + 8;
const ANSWERED_ID = HEADER_BYTES + 4;
const INTERFACE = 36;
const COOKIE = 40;
const LOOPBACK = 1;
const NO_COOKIE = 0xffffffffffffffffn;
const DEFAULT_WINDOW = 4096;

/** An address of 4 or 16 bytes, and a port. */
export interface Endpoint {
  readonly family: 2 | 10;
  readonly address: Uint8Array;
  readonly port: number;
}

/** The cookie of the TCP socket that listens for what this machine sends to itself; undefined when none is found. */
export function listenerCookie(to: Endpoint): bigint | undefined {
  const type = SOCK_DGRAM | SOCK_CLOEXEC;
  const socket = syscall("socket", AF_NETLINK, type, NETLINK_SOCK_DIAG);
  if (socket < 0) return undefined;
  try {
    const request = requestFor(to);
    const sent = syscall("sendto", socket, request, request.length, 0, 0, 0);
    if (sent !== request.length) return undefined;
    // The kernel answers while it takes the request.
    const answer = new Uint8Array(DEFAULT_WINDOW);
    const args = [answer, answer.length, MSG_DONTWAIT, 0, 0] as const;
    const count = syscall("recvfrom", socket, ...args);
    return cookieIn(answer.subarray(0, Math.max(0, count)));
  } finally {
    closeDescriptor(socket);
  }
}

function requestFor(to: Endpoint): Uint8Array<ArrayBuffer> {
  const request = new Uint8Array(REQUEST_BYTES);
  const view = new DataView(request.buffer);
  view.setUint32(0, REQUEST_BYTES, true);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(6, NLM_F_REQUEST, true);
  view.setUint8(HEADER_BYTES, to.family);
  view.setUint8(HEADER_BYTES + 1, IPPROTO_TCP);
  view.setUint32(HEADER_BYTES + 4, 1 << TCP_LISTEN, true);
  view.setUint16(ASKED_ID, to.port);
  request.set(to.address, ASKED_ID + 4);
  view.setUint32(ASKED_ID + INTERFACE, LOOPBACK, true);
  view.setBigUint64(ASKED_ID + COOKIE, NO_COOKIE, true);
  return request;
}

function cookieIn(answer: Uint8Array<ArrayBuffer>): bigint | undefined {
  if (answer.length < ANSWERED_ID + COOKIE + 8) return undefined;
  const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
  const isFound = view.getUint16(4, true) === SOCK_DIAG_BY_FAMILY &&
    view.getUint8(HEADER_BYTES + 1) === TCP_LISTEN;
  return isFound ? view.getBigUint64(ANSWERED_ID + COOKIE, true) : undefined;
}
