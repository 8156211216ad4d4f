/** What `explain` has to know of this machine. Reads, never writes. */
import { type AbsPath, ancestors, join } from "../base/paths.ts";
import { interfaceAddresses } from "../os/sockets.ts";
import { supervisorReason } from "./exec_error.ts";
import { readKernelFacts, readSupervisorFacts } from "./exec_facts.ts";
import type { IsHeld } from "./explain.ts";
import { Looker } from "./host_facts_paths.ts";
import { LANDLOCK_FLOOR } from "./landlock.ts";
import { planMounts } from "./mounts.ts";
import {
  normaliseHost,
  parsePort,
  splitAuthority,
} from "./network/host_name.ts";
import { parseIp } from "./network/ip.ts";
import { Upstreams } from "./network/upstream.ts";
import { isIn } from "./path_text.ts";
import type { SandboxPolicy } from "./types.ts";

/** Which protected paths the system keeps as they are here: all under Seatbelt, on Linux those that a namespace covers. */
export function heldHere(policy: SandboxPolicy): IsHeld {
  if (policy.os === "darwin") return () => true;
  const mounts = planMounts(policy, readSupervisorFacts());
  const [readOnly, pinned] = [mounts?.readOnly ?? [], mounts?.pinned ?? []];
  return ({ path }) =>
    readOnly.some((dir) => isIn(path, dir)) || pinned.includes(path);
}

/** Whether sockets that are made inside can be connected to: below a version of Landlock only where something is asked. */
export function reachesOwnSockets(
  policy: SandboxPolicy,
  { isSupervised }: { readonly isSupervised: boolean },
): boolean {
  if (policy.os === "darwin") {
    return policy.network.mode !== "none" || policy.unixSockets.length > 0;
  }
  const kernel = readKernelFacts();
  return kernel.landlockAbi >= LANDLOCK_FLOOR.resolveUnix || isSupervised ||
    supervisorReason(policy, kernel) !== undefined;
}

/** A path as the policy knows it. */
export interface RealPath {
  readonly real: AbsPath;
  readonly kind: "file" | "directory" | "socket" | "missing";
}

/** Where a path leads; of a missing one the part that is there. */
export function lookAtPath(path: AbsPath): RealPath {
  const looker = new Looker();
  for (const above of ancestors(path)) {
    const match = looker.look(above);
    if (match === undefined) continue;
    const rest = path.slice(above.length);
    return rest === "" || above === path
      ? { real: match.path, kind: match.kind }
      : { real: join(match.path, rest), kind: "missing" };
  }
  return { real: path, kind: "missing" };
}

/** A host that somebody asks about. */
export interface HostQuestion {
  readonly host: string;
  readonly port: number;
  /** Whether it is asked for by an address that starts with http://. */
  readonly isHttp: boolean;
}

/** `example.com`, `example.com:8443`, `https://example.com/x`; undefined for what is none of these. */
export function parseHostQuestion(text: string): HostQuestion | undefined {
  if (text.includes("://")) {
    const url = URL.parse(text);
    if (url === null || url.hostname === "") return undefined;
    const isHttp = url.protocol === "http:";
    const port = url.port || (isHttp ? "80" : "443");
    return { host: url.hostname, port: Number(port), isHttp };
  }
  const { host, port } = splitAuthority(text);
  const number = port === undefined ? 443 : parsePort(port);
  return host === "" || number === undefined
    ? undefined
    : { host, port: number, isHttp: false };
}

/** A proxy of the user's own network. */
export interface UserProxy {
  /** The variable that names it. */
  readonly variable: string;
  /** Without user name and password; null when it cannot be used. */
  readonly address: string | null;
}

/** The proxy that would be asked to connect to a listed host; undefined when the host is asked itself. */
export function userProxyFor(
  { host, port, isHttp }: HostQuestion,
  env: Readonly<Record<string, string>>,
): UserProxy | undefined {
  const result = normaliseHost(host);
  if (!result.ok) return undefined;
  const own = interfaceAddresses().map(parseIp).filter((ip) =>
    ip !== undefined
  );
  const asked = { host: result.host, port, isHttp, addresses: [] };
  const route = new Upstreams(env).routeTo(asked, own);
  switch (route.kind) {
    case "direct":
      return undefined;
    case "unusable":
      return { variable: route.variable, address: null };
    case "upstream":
      return {
        variable: route.upstream.variable,
        address: route.upstream.shown,
      };
  }
}
