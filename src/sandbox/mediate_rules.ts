/** What a mediator says about connecting: functions of the rules and of facts that it found out itself. */
import { type AbsPath, isWithin } from "../base/paths.ts";
import type { ErrnoName } from "../os/syscall.ts";

/** An address and port that may be connected to. */
export interface Destination {
  readonly address: string;
  readonly port: number;
}

/** What is asked of a mediator, and what it may say yes to. */
export interface MediationRules {
  /** Internet sockets: whatever the kernel allows; these destinations and servers of the own domain. */
  readonly internet: "open" | readonly Destination[];
  /** Unix sockets by their real path. */
  readonly unixPaths: readonly AbsPath[];
  /** Directories below which every Unix socket may be connected to: real paths. */
  readonly unixTrees: readonly AbsPath[];
  /** Whether signals are asked about. */
  readonly signals: boolean;
}

/** What is known of a Unix socket that was found by a path. */
export interface FoundSocket {
  /** Real path; undefined when it cannot be told. */
  readonly path: string | undefined;
  readonly isSocket: boolean;
  /** How many names it has. */
  readonly links: number;
}

/** A decision about a connection: yes, or what the process is told. */
export type Decision = "allow" | ErrnoName;

/** Whether a TCP connection may be made. `isOwn` says that a process of the same domain listens there. */
export function decideInternet(
  rules: MediationRules,
  to: Destination,
  { isOwn }: { isOwn: () => boolean },
): Decision {
  const { internet } = rules;
  if (internet === "open") return "allow";
  const isGranted = internet.some(({ address, port }) =>
    address === to.address && port === to.port
  );
  if (isGranted) return "allow";
  return isLoopback(to.address) && isOwn() ? "allow" : "EACCES";
}

/** Whether an address, as {@link readSocketAddress} writes it, is this machine's own. */
export function isLoopback(address: string): boolean {
  return address === "::1" || /^127(\.\d+){3}$/.test(address);
}

/** Whether a Unix socket may be connected to. */
export function decideUnix(
  rules: MediationRules,
  found: FoundSocket,
): Decision {
  const { path } = found;
  // A second name in a granted directory would carry a socket from anywhere into it.
  if (path === undefined || !found.isSocket || found.links !== 1) {
    return "EACCES";
  }
  const isGranted = rules.unixPaths.some((granted) => granted === path) ||
    rules.unixTrees.some((tree) => isWithin(path, tree));
  return isGranted ? "allow" : "EACCES";
}
