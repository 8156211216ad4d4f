/** What a confined launch claims, as things that must fail in it, and the rows that say whether they did. */
import { type AbsPath, join, tilde } from "../base/paths.ts";
import { listWords } from "../base/text.ts";
import type { PlannedSandbox } from "../launch/mod.ts";
import { decideHost, decidePath } from "../sandbox/mod.ts";
import type { Attempt, Claim, Tried } from "./attempts.ts";
import { From, type Row } from "./types.ts";

/** A process that must not be looked into. */
export interface Outsider {
  readonly pid: number;
  /** For people: `the launcher`. */
  readonly name: string;
}

/** What the attempts depend on. */
export interface ClaimPlace {
  readonly sandbox: PlannedSandbox;
  readonly home: AbsPath;
  /** `$AENV_HOME`. */
  readonly root: AbsPath;
  readonly manifest: AbsPath;
  /** Outside of all domains. */
  readonly launcher: Outsider;
}

/** An address of cloud machines that hands out credentials. */
const METADATA = "169.254.169.254";
/** Of a documentation network: nothing answers there. */
const NOWHERE = "192.0.2.1";
/** No such name can exist. */
const UNLISTED = "aenv-verify.invalid";

/** What must fail for the agent. */
export function agentAttempts(
  place: ClaimPlace,
  servers: readonly Outsider[],
): Attempt[] {
  return [
    ...fileAttempts(place),
    ...networkAttempts(place.sandbox),
    ...intoAttempts("processes", [place.launcher]),
    ...intoAttempts("servers", servers),
  ];
}

/** What must fail for a server with a domain of its own. */
export function serverAttempts(
  server: string,
  others: readonly Outsider[],
): Attempt[] {
  return intoAttempts("servers", others).map((attempt) => ({
    ...attempt,
    words: `${attempt.words} (from MCP server ${server})`,
  }));
}

function fileAttempts(
  { sandbox: { policy }, home, root, manifest }: ClaimPlace,
): Attempt[] {
  const isHeld = () => true;
  const wanted = [
    { kind: "list", path: home },
    { kind: "list", path: root },
    { kind: "list", path: join(root, "runs") },
    { kind: "write", path: manifest },
  ] as const;
  return wanted.filter(({ kind, path }) => {
    const operation = kind;
    return !decidePath(policy, path, { operation, isHeld }).allowed &&
      // A file of the project that is compared may be opened.
      !policy.protected.some((held) => held.path === path);
  }).map((what) => ({
    claim: "files",
    words: `${what.kind} ${tilde(what.path, home)}`,
    what,
  }));
}

function networkAttempts({ policy: { network } }: PlannedSandbox): Attempt[] {
  if (network.mode === "open") return [];
  const direct = [METADATA, NOWHERE].map((address): Attempt => ({
    claim: "network",
    words: `connect to ${address}`,
    what: { kind: "connect", address, port: 80 },
  }));
  if (network.mode === "none") return direct;
  const presets = { agent: "none", agentUrls: [], packages: {} } as const;
  const named = {
    ...network,
    allow: network.allow.filter(({ pattern }) => !pattern.startsWith("@")),
  };
  const asked = [METADATA, UNLISTED].filter((host) =>
    !decideHost(named, { host, port: 80 }, presets).allowed
  );
  return [
    ...direct,
    ...asked.map((host): Attempt => ({
      claim: "network",
      words: `reach ${host} through the proxy`,
      what: { kind: "ask", host, port: 80 },
    })),
  ];
}

/** Everything of a process that shows what it holds. */
function intoAttempts(claim: Claim, outsiders: readonly Outsider[]): Attempt[] {
  return outsiders.flatMap(({ pid, name }) => [
    ...(["environ", "mem"] as const).map((file): Attempt => ({
      claim,
      words: `read the ${PARTS[file]} of ${name}`,
      what: { kind: "read", path: `/proc/${pid}/${file}` },
    })),
    {
      claim,
      words: `see what ${name} has open`,
      what: { kind: "follow", path: `/proc/${pid}/fd/0` },
    },
  ]);
}

const PARTS = { environ: "environment", mem: "memory" } as const;

/** How each claim is called; undefined where it is not made. */
function claimNames(
  { policy: { network } }: PlannedSandbox,
  servers: readonly string[],
): readonly (readonly [Claim, string])[] {
  return [
    ["files", "files outside are closed"],
    ...(network.mode === "open" ? [] : [
      [
        "network",
        network.mode === "none"
          ? "network: none"
          : network.allow.length === 0
          ? "network: no host"
          : "network: only listed hosts",
      ] as const,
    ]),
    ["processes", "processes outside are closed"],
    ...(servers.length === 0 ? [] : [
      [
        "servers",
        `neither the agent nor ${listWords(servers)} can read the other`,
      ] as const,
    ]),
  ];
}

/** One row for each claim. `tried` is undefined where no hook ran that could try. */
export function claimRows(
  sandbox: PlannedSandbox,
  { servers, tried, attempts }: {
    /** Names of those with a domain of their own. */
    readonly servers: readonly string[];
    readonly attempts: readonly Attempt[];
    readonly tried: readonly Tried[] | undefined;
  },
): Row[] {
  return claimNames(sandbox, servers).flatMap(([claim, item]): Row[] => {
    const row = {
      ...{ kind: "sandbox" as const, item, from: From.manifest },
      declared: true,
    };
    const wanted = attempts.filter((attempt) => attempt.claim === claim);
    if (wanted.length === 0) return [];
    if (tried === undefined) {
      const detail = "no hook ran that could try it";
      return [{ ...row, seen: false, status: "unobserved", detail }];
    }
    const done = tried.filter((each) => each.claim === claim);
    const bad = done.find(({ isRefused }) => !isRefused);
    if (bad !== undefined) {
      const detail = bad.outcome === "done" || bad.outcome.startsWith("HTTP")
        ? `it could ${bad.words}`
        : `it could not be told: ${bad.words} (${bad.outcome})`;
      return [{ ...row, seen: false, status: "failed", detail }];
    }
    return done.length < wanted.length
      ? [{
        ...row,
        seen: false,
        status: "failed",
        detail: "it could not be tried",
      }]
      : [{ ...row, seen: true, status: "ok" }];
  });
}
