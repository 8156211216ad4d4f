/** What a policy says about one path, host, socket or variable. Pure: it reads the value that the writers read. */
import { type AbsPath, isBelow, isWithin } from "../base/paths.ts";
import type { PresetHosts } from "./network/presets.ts";
import { entryFor, refusalState } from "./network/refusal.ts";
import { decideHost as decideByRules, parseRules } from "./network/rules.ts";
import { socketRisk } from "./socket_risk.ts";
import {
  type NetworkPolicy,
  type Operation,
  type PathGrant,
  type ProtectedPath,
  RIGHTS,
  type SandboxPolicy,
} from "./types.ts";

/** Whether the system keeps a protected path as it is on this machine; the others are compared before and after a run. */
export type IsHeld = (path: ProtectedPath) => boolean;

/** An answer about a path. */
export interface PathAnswer {
  readonly path: AbsPath;
  readonly operation: Operation;
  readonly allowed: boolean;
  /** The grant that gives it. */
  readonly grant: PathGrant | undefined;
  /** What forbids to change it, or has the change shown afterwards. */
  readonly protection: ProtectedPath | undefined;
  /** Why, for people. */
  readonly why: string;
  /** Whether no manifest could give it. */
  readonly sealed: boolean;
}

/** Whether `operation` is possible at a real path. */
export function decidePath(
  policy: SandboxPolicy,
  path: AbsPath,
  { operation, isHeld }: {
    readonly operation: Operation;
    readonly isHeld: IsHeld;
  },
): PathAnswer {
  const grant = grantFor(policy.grants, path, operation);
  const question = { path, operation };
  if (grant === undefined) {
    const seal = sealText(policy, path);
    const why = seal ?? shortText(policy.grants, path) ?? "nothing grants it";
    return {
      ...{ ...question, allowed: false, grant, protection: undefined, why },
      sealed: seal !== undefined,
    };
  }
  const holders = isChange(operation) ? holdersOf(policy, path, operation) : [];
  const held = holders.find(isHeld);
  if (held !== undefined) {
    const why = `protected: ${held.why.text}`;
    return {
      ...{ ...question, allowed: false, grant, protection: held, why },
      sealed: false,
    };
  }
  const [watched] = holders;
  return {
    ...question,
    allowed: true,
    grant,
    protection: watched,
    sealed: false,
    why: watched === undefined
      ? grant.why.text
      : `${grant.why.text}; protected (${watched.why.text}): a change is shown and can be taken back`,
  };
}

/** The nearest grant that gives `operation` at `path`. */
export function grantFor(
  grants: readonly PathGrant[],
  path: AbsPath,
  operation: Operation,
): PathGrant | undefined {
  return grants.filter((grant) =>
    covers(grant, path) && RIGHTS[grant.access].includes(operation) &&
    // What is granted is not itself made or taken away: that is a matter of the directory above.
    (!isEntry(operation) || grant.path !== path)
  ).sort((a, b) => b.path.length - a.path.length)[0];
}

function covers({ path, kind }: PathGrant, at: AbsPath): boolean {
  return kind === "directory" ? isWithin(at, path) : at === path;
}

function isChange(operation: Operation): boolean {
  return operation === "write" || isEntry(operation);
}

/** Whether it is about the directory above as much as about the path. */
function isEntry(operation: Operation): boolean {
  return operation === "create" || operation === "folder";
}

/** The protected paths that `path` is, lies below, or (a directory that could be moved away) leads to. */
function holdersOf(
  policy: SandboxPolicy,
  path: AbsPath,
  operation: Operation,
): ProtectedPath[] {
  return policy.protected.filter((held) =>
    held.path === path || (held.tree && isBelow(path, held.path)) ||
    (operation !== "folder" && isBelow(held.path, path))
  );
}

function sealText(policy: SandboxPolicy, path: AbsPath): string | undefined {
  const seal = policy.sealed.find((sealed) =>
    isWithin(path, sealed.path) &&
    !sealed.except.some((dir) => isWithin(path, dir))
  );
  return seal?.why.text;
}

/** What is granted there, where it is less than was asked. */
function shortText(
  grants: readonly PathGrant[],
  path: AbsPath,
): string | undefined {
  const grant = grants.find((candidate) => covers(candidate, path));
  return grant === undefined
    ? undefined
    : `only ${ACCESS_WORDS[grant.access]} (${grant.why.text})`;
}

/** What each kind of access is called. */
export const ACCESS_WORDS: Readonly<Record<PathGrant["access"], string>> = {
  read: "read",
  exec: "read and run",
  write: "read and write",
  device: "use as a device",
  create: "make and use own files",
  folders: "read, and make directories",
};

/** An answer about a Unix socket. */
export interface SocketAnswer {
  readonly path: AbsPath;
  readonly allowed: boolean;
  readonly why: string;
}

/**
 * Whether a Unix socket at a real path can be connected to. `reachesOwn`: whether sockets that are made inside can be told
 * from others here.
 */
export function decideSocket(
  policy: SandboxPolicy,
  path: AbsPath,
  { reachesOwn }: { readonly reachesOwn: boolean },
): SocketAnswer {
  const socket = policy.unixSockets.find((grant) =>
    grant.path === path || (grant.tree && isWithin(path, grant.path))
  );
  if (socket !== undefined) {
    const risk = socketRisk(path);
    const { text } = socket.why;
    const why = risk === undefined ? text : `${text}; ${risk}`;
    return { path, allowed: true, why };
  }
  const grant = grantFor(policy.grants, path, "create");
  if (grant?.access !== "write") {
    return { path, allowed: false, why: "no grant names this socket" };
  }
  return reachesOwn ? { path, allowed: true, why: grant.why.text } : {
    path,
    allowed: false,
    why:
      'sockets are not told apart here: unix_sockets = ["$TMPDIR"] under [sandbox] has those that are made inside told from others',
  };
}

/** An answer about a host. */
export interface HostAnswer {
  readonly host: string;
  readonly port: number;
  readonly allowed: boolean;
  readonly why: string;
  /** What `network.allow` lacks; undefined where nothing there would help. */
  readonly entry?: string | undefined;
}

/** Whether a host can be reached on a port. `presets` says what presets stand for. Throws `NETWORK_RULE_INVALID` on an entry that is none. */
export function decideHost(
  network: NetworkPolicy,
  { host, port }: { readonly host: string; readonly port: number },
  presets: PresetHosts,
): HostAnswer {
  const question = { host, port };
  if (network.mode !== "hosts") {
    return {
      ...question,
      allowed: network.mode === "open",
      why: `sandbox.network is "${network.mode}"`,
    };
  }
  if (network.insteadOfNone !== undefined) {
    const why = `sandbox.network is ${network.insteadOfNone}`;
    return { ...question, allowed: false, why };
  }
  const rules = parseRules(
    network.allow.map(({ pattern }) => pattern),
    presets,
  );
  const decision = decideByRules(rules, question);
  if (!decision.allowed) {
    const refused = { ...question, refusal: decision.refusal };
    const [why, entry] = [refusalState(refused), entryFor(refused)];
    return { ...question, allowed: false, why, entry };
  }
  const grant = network.allow.find(({ pattern }) => pattern === decision.rule);
  const why = grant?.why.text ?? decision.rule;
  return { ...question, allowed: true, why };
}
