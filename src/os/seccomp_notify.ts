/** Answering the system calls of other processes that a filter of theirs asks about. Linux. */
import { processCalls } from "./c_process.ts";
import { pendingError } from "./socket_calls.ts";
import { syscall } from "./syscall.ts";

/** A call that waits for an answer. */
export interface Notification {
  readonly id: bigint;
  /** The thread that made the call. */
  readonly tid: number;
  /** Number of the call. */
  readonly number: number;
  readonly args: readonly bigint[];
}

const RECEIVE = 0xc0502100;
const SEND = 0xc0182101;
const IS_VALID = 0x40082102;
const SET_FLAGS = 0x40082104;
const ADD_DESCRIPTOR = 0x40182103;
const AND_ANSWER = 2;
const O_CLOEXEC = 0o2000000;
const SYNC_WAKE_UP = 1;
const CONTINUE = 1;
const NOTIFICATION_BYTES = 80;
const POLLIN = 1;
const POLLOUT = 4;
const POLLHUP = 0x10;

/** The next call that waits; undefined when it was given up, or there is none. Waits for one: ask {@link waitForNews} first. */
export function receiveNotification(
  listener: number,
): Notification | undefined {
  const bytes = new Uint8Array(NOTIFICATION_BYTES);
  if (syscall("ioctl", listener, RECEIVE, bytes) < 0) return undefined;
  const view = new DataView(bytes.buffer);
  return {
    id: view.getBigUint64(0, true),
    tid: view.getUint32(8, true),
    number: view.getInt32(16, true),
    args: Array.from(
      { length: 6 },
      (_, i) => view.getBigUint64(32 + 8 * i, true),
    ),
  };
}

/** Lets the call return 0, or fail with an errno given as a negative number. False when nobody waits any more. */
export function answer(listener: number, id: bigint, result: number): boolean {
  return respond(listener, id, { result, flags: 0 });
}

/**
 * Lets the kernel perform the call as it is. Only for calls whose meaning lies in registers: memory may have changed since
 * it was looked at. False when nobody waits any more.
 */
export function letThrough(listener: number, id: bigint): boolean {
  return respond(listener, id, { result: 0, flags: CONTINUE });
}

function respond(
  listener: number,
  id: bigint,
  { result, flags }: { result: number; flags: number },
): boolean {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, id, true);
  view.setInt32(16, result, true);
  view.setUint32(20, flags, true);
  return syscall("ioctl", listener, SEND, bytes) === 0;
}

/**
 * Gives the process a descriptor for what is open here at `fd`, and lets the call return it. False when nobody waits any
 * more, or the process may have no more of them. Linux 5.14.
 */
export function answerWithDescriptor(
  listener: number,
  id: bigint,
  { fd, closeOnExec }: { readonly fd: number; readonly closeOnExec: boolean },
): boolean {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, id, true);
  view.setUint32(8, AND_ANSWER, true);
  view.setUint32(12, fd, true);
  view.setUint32(20, closeOnExec ? O_CLOEXEC : 0, true);
  return syscall("ioctl", listener, ADD_DESCRIPTOR, bytes) >= 0;
}

/** Whether the call still waits: what was read of the process since it was received then is that process's. */
export function isWaiting(listener: number, id: bigint): boolean {
  const bytes = new Uint8Array(new BigUint64Array([id]).buffer);
  return syscall("ioctl", listener, IS_VALID, bytes) === 0;
}

/** Has the kernel run asker and answerer on one processor in turn, which halves the time; from Linux 6.6. */
export function wakeSynchronously(listener: number): void {
  syscall("ioctl", listener, SET_FLAGS, SYNC_WAKE_UP);
}

/** What {@link waitForNews} found. */
export interface News {
  /** Whether a call waits. */
  readonly asked: boolean;
  /** Whether no process uses the filter any more. */
  readonly over: boolean;
  /** The descriptors that are done connecting, well or not. */
  readonly connected: ReadonlySet<number>;
}

/** Waits until a call waits for an answer, or one of the sockets is done connecting, or the time is up, milliseconds; -1 for ever. */
export async function waitForNews(
  listener: number,
  sockets: readonly number[],
  { timeout }: { timeout: number },
): Promise<News> {
  const records = recordsOf(listener, sockets);
  const count = BigInt(1 + sockets.length);
  // Looking first saves the way through another thread under load.
  const ready = syscall("ppoll", records, count, new Uint8Array(16), 0, 8);
  if (ready === 0) await processCalls().poll(records, count, timeout);
  const view = new DataView(records.buffer);
  const news = (index: number) => view.getUint16(8 * index + 6, true);
  return {
    asked: (news(0) & POLLIN) !== 0,
    over: (news(0) & POLLHUP) !== 0 && (news(0) & POLLIN) === 0,
    connected: new Set(sockets.filter((_, i) => news(i + 1) !== 0)),
  };
}

/** Whether a socket is done connecting: 0, or the negative errno of the attempt; undefined while it goes on. */
export function connectionState(socket: number): number | undefined {
  const record = new Uint8Array(8);
  const view = new DataView(record.buffer);
  view.setInt32(0, socket, true);
  view.setUint16(4, POLLOUT, true);
  const ready = syscall("ppoll", record, 1, new Uint8Array(16), 0, 8);
  if (ready === 0) return undefined;
  return pendingError(socket);
}

function recordsOf(
  listener: number,
  sockets: readonly number[],
): Uint8Array<ArrayBuffer> {
  const records = new Uint8Array(8 * (1 + sockets.length));
  const view = new DataView(records.buffer);
  view.setInt32(0, listener, true);
  view.setUint16(4, POLLIN, true);
  sockets.forEach((fd, i) => {
    view.setInt32(8 * (i + 1), fd, true);
    view.setUint16(8 * (i + 1) + 4, POLLOUT, true);
  });
  return records;
}
