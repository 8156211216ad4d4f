/** Answers what confined processes ask: may this connect, may this server listen, may this signal be sent, may this terminal be opened. */
import { closeDescriptor } from "../os/fds.ts";
import { takeDescriptor, threadGroup } from "../os/pidfd.ts";
import { openTerminalPeer } from "../os/pseudo_terminal.ts";
import {
  answer,
  answerWithDescriptor,
  connectionState,
  isWaiting,
  letThrough,
  type Notification,
  receiveNotification,
  waitForNews,
  wakeSynchronously,
} from "../os/seccomp_notify.ts";
import {
  beginListen,
  keepToLoopback,
  socketCookie,
  socketKind,
} from "../os/socket_calls.ts";
import { ARCHITECTURE, ERRNO } from "../os/syscall.ts";
import { type SyscallName, syscallNumber } from "../os/syscall_numbers.ts";
import {
  type Asked,
  type Attempt,
  attemptConnect,
  type FullAttempt,
  readAddress,
} from "./mediate_connect.ts";
import type { MediationRules } from "./mediate_rules.ts";
import { answerSignal, SIGNAL_CALLS } from "./mediate_signals.ts";

/** What a mediator works with besides its rules. */
export interface MediatorOptions {
  /** The mark of the processes that it answers. */
  readonly mark: number;
  /** Told of every decision, before it takes effect. */
  report(asked: Asked): void;
  /** Told of every connection to a Unix socket with a path, before the socket's owner can look: to the owner it comes from us. */
  connected?(by: { readonly pid: number; readonly path: string }): void;
}

/** A connect whose process waits. */
interface Pending {
  readonly id: bigint;
  readonly socket: number;
}

/** One to a Unix socket that has no room. */
interface Full {
  readonly full: FullAttempt;
  readonly tid: number;
  readonly path: string | undefined;
}

/** How often is looked whether processes still wait, milliseconds. */
const CHECK_MS = 200;
/** How often a Unix socket is tried whose listener has no room. */
const RETRY_MS = 5;
/** How many connects may be under way: each takes a descriptor of this process, which has others to serve. */
const MAX_PENDING = 500;
const AF_UNIX = 1;
const O_CLOEXEC = 0o2000000;

/**
 * Answers until no process uses the filter any more; closes the listener then. When it ends otherwise, every call that is
 * asked about fails from then on.
 */
export async function mediate(
  listener: number,
  rules: MediationRules,
  options: MediatorOptions,
): Promise<void> {
  const mediator = new Mediator(listener, rules, options);
  try {
    await mediator.run();
  } finally {
    mediator.close();
  }
}

class Mediator {
  readonly #listener: number;
  readonly #rules: MediationRules;
  readonly #options: MediatorOptions;
  readonly #handlers: ReadonlyMap<number, (asked: Notification) => void>;
  /** Sockets that were allowed to listen, by a number that is never used again. */
  readonly #ownListeners = new Set<bigint>();
  /** Connects that were begun, and whose process was told nothing since a signal interrupted it. */
  readonly #interrupted = new Set<bigint>();
  /** Signals whose sender was told nothing, since its child's end interrupted it: it sends them once more. */
  readonly #lostSignals = new Map<number, { call: string; result: number }>();
  #connecting: Pending[] = [];
  #full: (Pending & Full)[] = [];

  constructor(
    listener: number,
    rules: MediationRules,
    options: MediatorOptions,
  ) {
    this.#listener = listener;
    this.#rules = rules;
    this.#options = options;
    this.#handlers = new Map([
      ...handle(["connect"], (asked) => this.#connect(asked)),
      ...handle(["listen"], (asked) => this.#listen(asked)),
      ...handle(["ioctl"], (asked) => this.#openTerminal(asked)),
      ...handle(SIGNAL_CALLS, (asked) => this.#signal(asked)),
    ]);
  }

  async run(): Promise<void> {
    wakeSynchronously(this.#listener);
    while (true) {
      const sockets = this.#connecting.map(({ socket }) => socket);
      const news = await waitForNews(this.#listener, sockets, {
        timeout: this.#timeout(),
      });
      this.#finishConnecting();
      this.#retryFull();
      if (news.asked) this.#answerOne();
      else if (news.over) return;
    }
  }

  close(): void {
    for (const { full } of this.#full) full.drop();
    for (const { socket } of [...this.#connecting, ...this.#full]) {
      closeDescriptor(socket);
    }
    closeDescriptor(this.#listener);
  }

  #timeout(): number {
    if (this.#full.length > 0) return RETRY_MS;
    return this.#connecting.length > 0 ? CHECK_MS : -1;
  }

  #answerOne(): void {
    const asked = receiveNotification(this.#listener);
    if (asked === undefined) return;
    const handler = this.#handlers.get(asked.number);
    if (handler) handler(asked);
    else this.#answer(asked.id, -ERRNO.ENOSYS);
  }

  /** Whether anybody heard it. */
  #answer(id: bigint, result: number): boolean {
    return answer(this.#listener, id, result);
  }

  /** Our copy of the socket that a call names; undefined when the call has been answered. */
  #take({ id, tid, args }: Notification): number | undefined {
    const socket = takeDescriptor(tid, intOf(args[0]!));
    if (socket < 0) {
      const isTheirs = socket === -ERRNO.EBADF;
      this.#answer(id, isTheirs ? socket : -ERRNO.EPERM);
      return undefined;
    }
    // The thread may have ended meanwhile, and its number be another's.
    if (isWaiting(this.#listener, id)) return socket;
    closeDescriptor(socket);
    return undefined;
  }

  #connect(asked: Notification): void {
    const { id, tid, args } = asked;
    const bytes = readAddress(tid, args[1]!, { length: intOf(args[2]!) });
    if (typeof bytes === "number") {
      this.#answer(id, bytes);
      return;
    }
    if (this.#connecting.length + this.#full.length >= MAX_PENDING) {
      this.#answer(id, -ERRNO.EAGAIN);
      return;
    }
    const socket = this.#take(asked);
    if (socket === undefined) return;
    const attempt = attemptConnect({ tid, socket, bytes }, {
      rules: this.#rules,
      ownListeners: this.#ownListeners,
      report: (asked) => this.#options.report(asked),
    });
    this.#finish({ id, socket, tid }, attempt);
  }

  #finish(pending: Pending & { tid: number }, attempt: Attempt): void {
    const { id, socket, tid } = pending;
    const { result, waits, full, path } = attempt;
    if (full) {
      this.#full.push({ id, socket, full, tid, path });
      return;
    }
    if (result === 0) this.#nameClient(tid, path);
    const isUnderWay = result === -ERRNO.EINPROGRESS ||
      result === -ERRNO.EALREADY;
    if (waits && isUnderWay) {
      this.#connecting.push(pending);
      this.#finishConnecting();
      return;
    }
    this.#tell(id, socket, this.#afterInterruption(socket, result));
    closeDescriptor(socket);
  }

  /** What the first try, whose answer a signal kept from the process, would have said. */
  #afterInterruption(socket: number, result: number): number {
    const isSecond = result === -ERRNO.EALREADY || result === -ERRNO.EISCONN;
    if (!isSecond || this.#interrupted.size === 0) return result;
    const cookie = socketCookie(socket);
    if (cookie === undefined || !this.#interrupted.delete(cookie)) {
      return result;
    }
    return result === -ERRNO.EALREADY ? -ERRNO.EINPROGRESS : 0;
  }

  #tell(id: bigint, socket: number, result: number): void {
    if (this.#answer(id, result)) return;
    if (result !== 0 && result !== -ERRNO.EINPROGRESS) return;
    const cookie = socketCookie(socket);
    if (cookie !== undefined) this.#interrupted.add(cookie);
  }

  #finishConnecting(): void {
    const still: Pending[] = [];
    for (const pending of this.#connecting) {
      const { id, socket } = pending;
      const result = connectionState(socket);
      if (result === undefined && isWaiting(this.#listener, id)) {
        still.push(pending);
        continue;
      }
      if (result !== undefined) this.#tell(id, socket, result);
      closeDescriptor(socket);
    }
    this.#connecting = still;
  }

  #retryFull(): void {
    const waiting = this.#full;
    this.#full = [];
    for (const pending of waiting) {
      const { id, socket, full, tid, path } = pending;
      const isThere = isWaiting(this.#listener, id);
      const result = isThere ? full.again() : 0;
      if (result === -ERRNO.EAGAIN) {
        this.#full.push(pending);
        continue;
      }
      if (isThere && result === 0) this.#nameClient(tid, path);
      if (isThere) this.#answer(id, result);
      full.drop();
      closeDescriptor(socket);
    }
  }

  #nameClient(tid: number, path: string | undefined): void {
    const pid = path === undefined ? undefined : threadGroup(tid);
    if (pid !== undefined) this.#options.connected?.({ pid, path: path! });
  }

  #listen(asked: Notification): void {
    const socket = this.#take(asked);
    if (socket === undefined) return;
    const result = this.#listenOn(socket, intOf(asked.args[1]!));
    this.#answer(asked.id, result);
    closeDescriptor(socket);
  }

  /** Servers are for this machine; those of the own domain may connect to them. */
  #listenOn(socket: number, backlog: number): number {
    const kind = socketKind(socket);
    if (kind === undefined) return -ERRNO.ENOTSOCK;
    if (kind.family === AF_UNIX) return beginListen(socket, backlog);
    const cookie = socketCookie(socket);
    if (cookie === undefined) return -ERRNO.EACCES;
    if (keepToLoopback(socket) < 0) return -ERRNO.EACCES;
    const result = beginListen(socket, backlog);
    if (result === 0) this.#ownListeners.add(cookie);
    return result;
  }

  /** Whoever holds the master of a terminal has made it, and may open its other side. By their names others could be opened. */
  #openTerminal(asked: Notification): void {
    const master = this.#take(asked);
    if (master === undefined) return;
    const { id, args } = asked;
    const flags = intOf(args[2]!);
    const fd = openTerminalPeer(master, flags);
    closeDescriptor(master);
    if (fd < 0) {
      this.#answer(id, fd);
      return;
    }
    const closeOnExec = (flags & O_CLOEXEC) !== 0;
    const isTaken = answerWithDescriptor(this.#listener, id, {
      ...{ fd, closeOnExec },
    });
    closeDescriptor(fd);
    if (!isTaken) this.#answer(id, -ERRNO.EACCES);
  }

  #signal(asked: Notification): void {
    const { mark } = this.#options;
    const { id, tid, number, args } = asked;
    const call = [number, ...args].join();
    const lost = this.#lostSignals.get(tid);
    this.#lostSignals.delete(tid);
    const result = lost?.call === call ? lost.result : answerSignal(asked, {
      mark,
      isWaiting: () => isWaiting(this.#listener, id),
    });
    if (result === "gone") return;
    if (result === "let through") letThrough(this.#listener, id);
    else if (!this.#answer(id, result)) {
      this.#lostSignals.set(tid, { call, result });
    }
  }
}

function handle(
  calls: readonly SyscallName[],
  handler: (asked: Notification) => void,
): (readonly [number, (asked: Notification) => void])[] {
  return calls.flatMap((name) => {
    const number = syscallNumber(name, ARCHITECTURE);
    return number === undefined ? [] : [[number, handler] as const];
  });
}

/** An argument that the kernel takes for an int. */
function intOf(argument: bigint): number {
  return Number(BigInt.asIntN(32, argument));
}
