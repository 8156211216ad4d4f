/** TCP: listening on this machine, connecting to an address. Which addresses may be connected to is the caller's to say. */
import { sleep } from "./process.ts";

/** One connection. After {@link close} every pending call fails with an error that {@link isHangUp} knows. */
export interface Connection {
  /** Reads what is there into `buffer`; null at the end. */
  read(buffer: Uint8Array<ArrayBuffer>): Promise<number | null>;
  /** Writes some of `bytes`, and says how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Says that nothing more will be written. Reading goes on. */
  closeWrite(): Promise<void>;
  /** Ends it. May be called more than once. */
  close(): void;
  /** Its ports while it is open; undefined when its bytes are encrypted here. */
  ports(): Ports | undefined;
}

/** The ports of a connection at both ends. */
export interface Ports {
  readonly local: number;
  readonly remote: number;
}

/** A port of 127.0.0.1 that connections come in on. */
export interface LoopbackListener {
  readonly port: number;
  /** Connections until it is closed. */
  accept(): AsyncGenerator<Connection>;
  close(): void;
}

/** Why there is no connection. */
export type ConnectProblem =
  | "refused"
  | "unreachable"
  | "timeout"
  | "aborted"
  /** It speaks no TLS, or shows a certificate that is not trusted for its name. */
  | "untrusted";

/** A connection, or why there is none. */
export type Connected =
  | { readonly ok: true; readonly connection: Connection }
  | { readonly ok: false; readonly problem: ConnectProblem };

/** Milliseconds to wait when the system has no descriptor or memory left. */
const PAUSE_MS = 50;

/** Listens on 127.0.0.1, which other machines cannot reach, on a free port unless one is given. */
export function listenLoopback(port = 0): LoopbackListener {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  let isClosed = false;
  return {
    port: listener.addr.port,
    async *accept() {
      while (!isClosed) {
        const next = await acceptNext(listener, () => isClosed);
        if (next !== undefined) yield next;
      }
    },
    close() {
      if (!isClosed) listener.close();
      isClosed = true;
    },
  };
}

/** Undefined when there is nothing to be had this time. */
async function acceptNext(
  listener: Deno.TcpListener,
  isClosed: () => boolean,
): Promise<Connection | undefined> {
  try {
    return connectionOf(await listener.accept());
  } catch (error) {
    if (isClosed()) return undefined;
    // Too many open files, or a client that has gone already.
    if (!(error instanceof Error)) throw error;
    await sleep(PAUSE_MS);
    return undefined;
  }
}

/** How a connection is encrypted. */
export interface TlsSettings {
  /** The name, or address, that the certificate has to be for. */
  readonly serverName: string;
  /** Certificates, PEM, that are trusted besides the built-in ones. */
  readonly caCerts: readonly string[];
}

/** How long to try, and what is spoken then. */
export interface ConnectSettings {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Not encrypted unless given. */
  readonly tls?: TlsSettings | undefined;
}

/** Connects to an IP address, never to a name. */
export async function connectTcp(
  target: { readonly address: string; readonly port: number },
  options: ConnectSettings,
): Promise<Connected> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), options.timeoutMs);
  const signals = [late.signal, ...options.signal ? [options.signal] : []];
  try {
    const signal = AbortSignal.any(signals);
    const tcp = await Deno.connect({
      hostname: target.address,
      port: target.port,
      signal,
    });
    const connection = options.tls === undefined
      ? connectionOf(tcp)
      : await encrypted(tcp, options.tls, signal);
    return { ok: true, connection };
  } catch (error) {
    const problem = late.signal.aborted
      ? "timeout"
      : options.signal?.aborted
      ? "aborted"
      : problemOf(error);
    return { ok: false, problem };
  } finally {
    clearTimeout(timer);
  }
}

function problemOf(error: unknown): ConnectProblem {
  if (!(error instanceof Error)) throw error;
  if (error instanceof Deno.errors.ConnectionRefused) return "refused";
  if (error instanceof Deno.errors.InvalidData) return "untrusted";
  return error instanceof Deno.errors.TimedOut ? "timeout" : "unreachable";
}

async function encrypted(
  tcp: Deno.TcpConn,
  { serverName, caCerts }: TlsSettings,
  signal: AbortSignal,
): Promise<Connection> {
  tcp.setNoDelay();
  tcp.setKeepAlive();
  const tls = await Deno.startTls(tcp, {
    hostname: serverName,
    caCerts: [...caCerts],
  });
  const connection = connectionWith(tls);
  signal.addEventListener("abort", connection.close, { once: true });
  try {
    await tls.handshake();
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", connection.close);
  }
}

function connectionOf(tcp: Deno.TcpConn): Connection {
  tcp.setNoDelay();
  tcp.setKeepAlive();
  const { localAddr, remoteAddr } = tcp;
  return connectionWith(tcp, {
    local: localAddr.port,
    remote: remoteAddr.port,
  });
}

function connectionWith(
  tcp: Deno.TcpConn | Deno.TlsConn,
  ports?: Ports,
): Connection {
  let isClosed = false;
  let giveUp: ((reason: Error) => void) | undefined;
  return {
    read: (buffer) => tcp.read(buffer),
    write: (bytes) =>
      new Promise((resolve, reject) => {
        giveUp = reject;
        tcp.write(bytes).then(resolve, reject);
      }),
    closeWrite: () => tcp.closeWrite(),
    close() {
      if (isClosed) return;
      isClosed = true;
      tcp.close();
      // Deno 2.7 lets a write that waits for the other end wait on.
      giveUp?.(new Deno.errors.Interrupted("closed"));
    },
    ports: () => isClosed ? undefined : ports,
  };
}

/** Whether the error only says that one of both ends has closed the connection. */
export function isHangUp(error: unknown): boolean {
  return HANG_UPS.some((kind) => error instanceof kind) ||
    // Deno knows no class for a socket that is not connected any more.
    error instanceof Error && "code" in error && error.code === "ENOTCONN";
}

const HANG_UPS = [
  Deno.errors.BadResource,
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionAborted,
  Deno.errors.ConnectionReset,
  Deno.errors.Interrupted,
  Deno.errors.NotConnected,
  Deno.errors.TimedOut,
] as const;

/** The addresses of this machine's interfaces, without zones. */
export function interfaceAddresses(): string[] {
  return Deno.networkInterfaces().map(({ address }) =>
    address.replace(/%.*$/s, "")
  );
}
