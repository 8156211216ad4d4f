/** Connecting for a confined process: on a copy of its socket, to our own copy of the address, so that nothing can change in between. */
import {
  closeDescriptor,
  describeDescriptor,
  openAnyPath,
  pathOf,
} from "../os/fds.ts";
import { cString } from "../os/libc.ts";
import { readMemory } from "../os/pidfd.ts";
import { type Endpoint, listenerCookie } from "../os/sock_diag.ts";
import {
  addressOfSocketFile,
  beginConnect,
  socketKind,
} from "../os/socket_calls.ts";
import { ERRNO } from "../os/syscall.ts";
import {
  MAX_ADDRESS_BYTES,
  readSocketAddress,
  type SocketAddress,
} from "./mediate_address.ts";
import {
  decideInternet,
  decideUnix,
  type Decision,
  isLoopback,
  type MediationRules,
} from "./mediate_rules.ts";

/** A decision, for the audit: where to, and whether it was allowed. */
export interface Asked {
  readonly to: string;
  readonly decision: Decision;
}

/** What became of a connect, before its process is told. */
export interface Attempt {
  /** 0, or the negative errno. */
  readonly result: number;
  /** Whether the process means to wait for what comes. */
  readonly waits: boolean;
  /** Set for a Unix socket whose listener has no room yet. */
  readonly full: FullAttempt | undefined;
  /** Real path of the Unix socket that it is about. */
  readonly path?: string | undefined;
}

/** A connect that has to be begun again. */
export interface FullAttempt {
  /** Returns 0, or the negative errno; `-EAGAIN` when there is still no room. */
  again(): number;
  /** Has to be called at the end. */
  drop(): void;
}

const SOCK_STREAM = 1;
const SLASH = 47;

/** Reads the address that a call names. Returns it, or the negative errno. */
export function readAddress(
  tid: number,
  at: bigint,
  { length }: { length: number },
): Uint8Array<ArrayBuffer> | number {
  if (length < 0 || length > MAX_ADDRESS_BYTES) return -ERRNO.EINVAL;
  const bytes = new Uint8Array(length);
  if (length === 0) return bytes;
  const count = readMemory(tid, at, bytes);
  // Of a process that hides its memory nothing can be known, so nothing is allowed.
  if (count === -ERRNO.EPERM) return -ERRNO.EPERM;
  return count === length ? bytes : -ERRNO.EFAULT;
}

/** Who asks, with what. */
export interface Asker {
  readonly tid: number;
  /** Our copy of its socket. */
  readonly socket: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What the rules are and who listens inside. */
export interface ConnectContext {
  readonly rules: MediationRules;
  readonly ownListeners: ReadonlySet<bigint>;
  report(asked: Asked): void;
}

/** Decides, and begins to connect if the answer is yes. */
export function attemptConnect(
  asker: Asker,
  context: ConnectContext,
): Attempt {
  const kind = socketKind(asker.socket);
  if (kind === undefined) return refused(-ERRNO.ENOTSOCK);
  const address = readSocketAddress(asker.bytes, kind.family);
  switch (address.kind) {
    case "invalid":
      return refused(-ERRNO.EAFNOSUPPORT);
    case "abstract":
      return report(context, "abstract Unix socket", "EACCES");
    case "none":
    case "netlink":
      return begin(asker.socket, asker.bytes);
    case "internet": {
      const decision = kind.type === SOCK_STREAM ||
          context.rules.internet === "open"
        ? decideInternet(context.rules, address, {
          isOwn: () => isOwn(address, context),
        })
        : "EACCES";
      const refusal = report(context, internetText(address), decision);
      return refusal.result < 0 ? refusal : begin(asker.socket, asker.bytes);
    }
    case "path":
      return attemptUnix(asker, address, { context });
  }
}

function attemptUnix(
  { tid, socket }: Asker,
  { path }: SocketAddress & { kind: "path" },
  { context }: { context: ConnectContext },
): Attempt {
  const named = openNamed(tid, path);
  const text = new TextDecoder().decode(path);
  if (named < 0) {
    const isMissing = named === -ERRNO.ENOENT;
    if (isMissing) return refused(-ERRNO.ENOENT);
    return report(context, text, "EACCES");
  }
  const real = pathOf(named);
  const facts = describeDescriptor(named);
  const decision = decideUnix(context.rules, {
    path: real,
    isSocket: facts?.kind === "socket",
    links: facts?.links ?? 0,
  });
  const refusal = report(context, real ?? text, decision);
  if (refusal.result < 0) {
    closeDescriptor(named);
    return refusal;
  }
  return { ...beginUnix(socket, named), path: real };
}

/** Opens what a path means for the process. */
function openNamed(tid: number, path: Uint8Array<ArrayBuffer>): number {
  const name = new Uint8Array(path.length + 1);
  name.set(path);
  if (path[0] === SLASH) return openAnyPath(name);
  const cwd = openAnyPath(cString(`/proc/${tid}/cwd`));
  if (cwd < 0) return cwd;
  const found = openAnyPath(name, cwd);
  closeDescriptor(cwd);
  return found;
}

function beginUnix(socket: number, named: number): Attempt {
  const address = addressOfSocketFile(named);
  const { result, waits } = beginConnect(socket, address);
  const drop = () => closeDescriptor(named);
  if (result !== -ERRNO.EAGAIN || !waits) {
    drop();
    return { result, waits, full: undefined };
  }
  const again = () => beginConnect(socket, address).result;
  return { result, waits, full: { again, drop } };
}

function begin(socket: number, bytes: Uint8Array<ArrayBuffer>): Attempt {
  return { ...beginConnect(socket, bytes), full: undefined };
}

function refused(result: number): Attempt {
  return { result, waits: false, full: undefined };
}

function report(
  context: ConnectContext,
  to: string,
  decision: Decision,
): Attempt {
  context.report({ to, decision });
  return refused(decision === "allow" ? 0 : -ERRNO[decision]);
}

function internetText(
  { address, port }: { address: string; port: number },
): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether what listens there was started inside: by the socket itself, not by what was once bound there. */
function isOwn(
  { address, port }: { address: string; port: number },
  { ownListeners }: ConnectContext,
): boolean {
  if (!isLoopback(address) || ownListeners.size === 0) return false;
  const endpoint: Endpoint = address === "::1"
    ? { family: 10, port, address: new Uint8Array(16).fill(1, 15) }
    : {
      family: 2,
      port,
      address: Uint8Array.from(address.split("."), Number),
    };
  const cookie = listenerCookie(endpoint);
  return cookie !== undefined && ownListeners.has(cookie);
}
