/** Bytes that go from one connection to another inside the kernel, through a pipe: nobody copies them. Linux. */
import { closeDescriptor } from "./fds.ts";
import type { Connection, Ports } from "./sockets.ts";
import { ERRNO, syscall } from "./syscall.ts";

const AF_INET = 2;
const AF_INET6 = 10;
const FAMILIES = [AF_INET, AF_INET6];
const LOOPBACK = 127;
const MAX_ADDRESS_BYTES = 128;
const SOL_SOCKET = 1;
const SO_ACCEPTCONN = 30;
const IPPROTO_TCP = 6;
const TCP_CONGESTION = 13;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const F_SETPIPE_SZ = 1031;
const SPLICE_F_MOVE = 1;
const SPLICE_F_NONBLOCK = 2;

/** What a pipe is asked to hold, and what it holds at least. */
const PIPE_BYTES = 1024 * 1024;
const MIN_PIPE_BYTES = 64 * 1024;

/** At once; each has two descriptors, and of what waits in pipes the system gives each user so much. */
const MAX_OPEN = 16;
let opened = 0;

/** Descriptors that have been found. They belong to the connection that the ports were told by while it is open. */
const known = new WeakMap<Ports, number>();

/** Errors that say only that nothing has been moved now. */
const LATER: readonly number[] = [ERRNO.EAGAIN, ERRNO.EINTR];

/** Errors of a kernel, or a filter, that does not join sockets. Nothing has been moved then. */
const CANNOT: readonly number[] = [
  ERRNO.EPERM,
  ERRNO.EINVAL,
  ERRNO.ENOSYS,
  ERRNO.EOPNOTSUPP,
];

/** What one step has moved. */
export interface Step {
  /** Bytes that have come. */
  readonly taken: number;
  /** Bytes that have gone. */
  readonly given: number;
  /** Whether nothing more will come. */
  readonly isEnded: boolean;
}

/**
 * One direction between two connections. Who reads the first or writes to the second does so while nothing is held, or with
 * what {@link Splice.take} gives back. Use with `using`.
 */
export class Splice implements Disposable {
  readonly #from: End;
  readonly #to: End;
  readonly #pipe: { readonly from: number; readonly into: number };
  #held = 0;
  #works = true;
  #isClosed = false;

  private constructor(
    from: End,
    to: End,
    pipe: { readonly from: number; readonly into: number },
  ) {
    this.#from = from;
    this.#to = to;
    this.#pipe = pipe;
  }

  /** Undefined when the two cannot be joined: one of them is encrypted or closed, or there is no pipe to be had. */
  static open(from: Connection, to: Connection): Splice | undefined {
    if (Deno.build.os !== "linux") return undefined;
    if (opened >= MAX_OPEN) return undefined;
    const [source, target] = [from, to].map(endOf);
    if (source === undefined || target === undefined) return undefined;
    const pipe = openPipe();
    if (pipe === undefined) return undefined;
    opened++;
    return new Splice(source, target, pipe);
  }

  /** Bytes that have come and not gone yet. */
  get held(): number {
    return this.#held;
  }

  /** Whether the kernel does this at all. When it does not, {@link Splice.take} has all that is held. */
  get works(): boolean {
    return this.#works;
  }

  /** Sends these bytes before what comes next; at most 64 KiB, while nothing is held. */
  put(bytes: Uint8Array<ArrayBuffer>): void {
    const { into } = this.#pipe;
    const count = syscall("write", into, bytes, bytes.length);
    if (count !== bytes.length) {
      throw new Error(`a pipe took ${count} of ${bytes.length} bytes`);
    }
    this.#held = count;
  }

  /** Takes back the first bytes that are held, as many as there is room for. */
  take(room: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const count = syscall("read", this.#pipe.from, room, room.length);
    if (count < 0) throw new Error(`a pipe gave ${count}`);
    this.#held -= count;
    return room.subarray(0, count);
  }

  /**
   * Moves what can be moved without waiting, `max` new bytes at most. Throws an error that `isHangUp` knows when one of the
   * connections has ended.
   */
  step(max: number): Step {
    const wanted = Math.min(max, PIPE_BYTES - this.#held);
    const into = this.#pipe.into;
    const taken = wanted > 0
      ? this.#splice(openEnd(this.#from), into, wanted)
      : -1;
    this.#held += Math.max(0, taken);
    const given = this.#held > 0
      ? this.#splice(this.#pipe.from, openEnd(this.#to), this.#held)
      : 0;
    this.#held -= Math.max(0, given);
    return {
      taken: Math.max(0, taken),
      given: Math.max(0, given),
      isEnded: taken === 0,
    };
  }

  /** As many bytes as go without waiting; less than 0 when none do. */
  #splice(from: number, into: number, max: number): number {
    if (!this.#works) return -ERRNO.EAGAIN;
    const flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
    const count = syscall("splice", from, 0, into, 0, max, flags);
    if (count >= 0 || LATER.includes(-count)) return count;
    if (!CANNOT.includes(-count)) {
      // Whatever it is, the kernel tells it once: reading or writing would not find it any more.
      throw new Deno.errors.ConnectionReset(`splice: error ${-count}`);
    }
    this.#works = false;
    return count;
  }

  /** Whether it has given its pipe back. It is good for nothing then. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Gives its pipe back; once. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    opened--;
    closeDescriptor(this.#pipe.from);
    closeDescriptor(this.#pipe.into);
  }
}

/** One of the connections, and its descriptor, which is its own until it is closed. */
interface End {
  readonly ports: () => Ports | undefined;
  readonly fd: number;
}

function openEnd({ ports, fd }: End): number {
  if (ports() === undefined) throw new Deno.errors.Interrupted("closed");
  return fd;
}

function openPipe(): { from: number; into: number } | undefined {
  const ends = new Int32Array(2);
  const bytes = new Uint8Array(ends.buffer);
  if (syscall("pipe2", bytes, O_NONBLOCK | O_CLOEXEC) < 0) return undefined;
  const [from, into] = ends as unknown as [number, number];
  // Who has many pipes already gets smaller ones.
  for (let size = PIPE_BYTES; size >= MIN_PIPE_BYTES; size /= 4) {
    if (syscall("fcntl", into, F_SETPIPE_SZ, size) >= size) {
      return { from, into };
    }
  }
  closeDescriptor(from);
  closeDescriptor(into);
  return undefined;
}

function endOf(connection: Connection): End | undefined {
  const ports = connection.ports();
  if (ports === undefined) return undefined;
  const fd = known.get(ports) ?? descriptorOf(ports);
  if (fd === undefined) return undefined;
  if (!known.has(ports)) hurry(fd);
  known.set(ports, fd);
  return { ports: connection.ports, fd };
}

/** Some systems are set to send as much as a far network takes, by the clock. Inside this machine that only costs time. */
function hurry(fd: number): void {
  const address = addressAt("getpeername", fd);
  const isHere = address?.[0] === AF_INET && address[4] === LOOPBACK;
  if (!isHere) return;
  const name = new TextEncoder().encode("reno");
  syscall("setsockopt", fd, IPPROTO_TCP, TCP_CONGESTION, name, name.length);
}

/** The only descriptor of this process that has these ports. The caller knows that there is one. */
function descriptorOf(wanted: Ports): number | undefined {
  const found = descriptors().filter((fd) => {
    if (portOf("getsockname", fd) !== wanted.local) return false;
    const remote = portOf("getpeername", fd);
    // One that has lost its other end might be it.
    return remote === wanted.remote ||
      remote === undefined && !isListening(fd);
  });
  return found.length === 1 ? found[0] : undefined;
}

function descriptors(): number[] {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].map(({ name }) =>
      Number(name)
    );
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return [];
  }
}

function isListening(fd: number): boolean {
  const value = new Uint8Array(4);
  const length = new Uint8Array(new Uint32Array([value.length]).buffer);
  const result = syscall(
    "getsockopt",
    fd,
    SOL_SOCKET,
    SO_ACCEPTCONN,
    value,
    length,
  );
  return result === 0 && value[0] !== 0;
}

function portOf(
  call: "getsockname" | "getpeername",
  fd: number,
): number | undefined {
  const address = addressAt(call, fd);
  return address && address[2]! * 256 + address[3]!;
}

/** One for all calls: there may be thousands of descriptors. */
const address = new Uint8Array(MAX_ADDRESS_BYTES);
const addressLength = new Uint8Array(4);

/**
 * One of a socket's addresses as the kernel has it, until the next call; undefined when it has none, or is none of the
 * internet's.
 */
function addressAt(
  call: "getsockname" | "getpeername",
  fd: number,
): Uint8Array<ArrayBuffer> | undefined {
  addressLength[0] = MAX_ADDRESS_BYTES;
  if (syscall(call, fd, address, addressLength) < 0) return undefined;
  return FAMILIES.includes(address[0]!) ? address : undefined;
}
