/**
 * A policy as a Seatbelt profile for `/usr/bin/sandbox-exec`. Pure. Paths go in as parameters, never into the text: no name
 * of a file can change what the profile means. Of two rules that fit, the later one counts, so what is denied stands last.
 */
import { AppError, ExitCode } from "../base/errors.ts";
import {
  type AbsPath,
  ancestors,
  isBelow,
  isWithin,
  parent,
} from "../base/paths.ts";
import { baseRules, keychainRules, networkServices } from "./seatbelt_base.ts";
import { spellingsIn } from "./seatbelt_names.ts";
import type {
  Access,
  NetworkPolicy,
  PathGrant,
  ProtectedPath,
  SandboxPolicy,
  SealedPath,
} from "./types.ts";

/** A profile and the values of its parameters. */
export interface SeatbeltProfile {
  readonly text: string;
  readonly parameters: Readonly<Record<string, AbsPath>>;
}

/** The program that applies a profile. Never looked for on PATH. */
export const SANDBOX_EXEC = "/usr/bin/sandbox-exec" as AbsPath;

/** Operations of each kind of access. */
const OPERATIONS: Readonly<Record<Access, string>> = {
  read: "file-read*",
  exec: "file-read* process-exec* file-map-executable",
  write: "file-read* file-write* process-exec* file-map-executable",
  device: "file-read* file-write-data file-ioctl",
  create: "file-write*",
  folders: "file-read*",
};

/** Nothing is typed into the terminal, which the user's shell reads again afterwards. macOS 13 and newer know the word; older ones refuse the profile. */
const NO_TYPING = "(deny file-ioctl (ioctl-command TIOCSTI))";

/** Names are looked up through it. */
const DNS_SOCKET = "/private/var/run/mDNSResponder";

/** The profile of a policy. Throws (exit 3) when the policy needs a proxy that does not run. */
export function seatbeltProfile(policy: SandboxPolicy): SeatbeltProfile {
  const parameters = new Parameters();
  const lines = [
    ...baseRules(),
    "; what is granted",
    ...policy.grants.map((grant) => grantRule(grant, parameters)),
    ...(policy.agent.keychain ? keychainRules() : []),
    "; the network",
    ...networkRules(policy.network),
    ...socketRules(policy, parameters),
    "; what must stay as it is",
    ...new Set(
      policy.protected.flatMap((path) =>
        protectRules(path, policy.grants, parameters)
      ),
    ),
    ...spellingRules(policy.protected, parameters),
    ...policy.sealed.map((path) => sealRule(path, parameters)),
    ...rootRules(policy.grants, parameters),
    NO_TYPING,
  ];
  return { text: lines.join("\n") + "\n", parameters: parameters.all() };
}

/** The command that starts `argv` under a profile. The first word of `argv` is an absolute path. */
export function seatbeltCommand(
  profile: SeatbeltProfile,
  argv: readonly string[],
): string[] {
  return [
    SANDBOX_EXEC,
    ...Object.entries(profile.parameters).flatMap((
      [name, path],
    ) => ["-D", `${name}=${path}`]),
    "-p",
    profile.text,
    "--",
    ...argv,
  ];
}

/** Paths by the names that stand for them in the text. */
class Parameters {
  readonly #names = new Map<AbsPath, string>();

  name(path: AbsPath): string {
    const known = this.#names.get(path);
    if (known !== undefined) return known;
    const name = `P${this.#names.size}`;
    this.#names.set(path, name);
    return name;
  }

  all(): Record<string, AbsPath> {
    return Object.fromEntries(
      [...this.#names].map(([path, name]) => [name, path]),
    );
  }
}

function grantRule(grant: PathGrant, parameters: Parameters): string {
  const filter = grant.kind === "directory" ? "subpath" : "literal";
  const place = `(${filter} (param "${parameters.name(grant.path)}"))`;
  const rule = `(allow ${OPERATIONS[grant.access]} ${place})`;
  if (grant.access === "folders") {
    return `${rule}\n(allow file-write-create (require-all ${place} (vnode-type DIRECTORY)))`;
  }
  if (grant.access !== "create") return rule;
  // Without a look at directories: what others have there cannot be found.
  return `${rule}\n(allow file-read-data (require-all ${place} (require-not (vnode-type DIRECTORY))))`;
}

function networkRules(network: NetworkPolicy): string[] {
  switch (network.mode) {
    case "none":
      return [];
    case "open":
      return [
        networkServices(),
        '(allow network-outbound (remote ip "*:*"))',
        '(allow network-inbound network-bind (local ip "*:*"))',
        `(allow network-outbound (literal "${DNS_SOCKET}"))`,
      ];
    case "hosts":
      return hostsRules(network);
  }
}

/**
 * Only our proxy and granted ports. No service that looks up names or fetches certificates for others: both could carry
 * data out. Servers for this machine may listen.
 */
function hostsRules(
  { proxy, ports }: Extract<NetworkPolicy, { mode: "hosts" }>,
): string[] {
  if (proxy === undefined) {
    throw new AppError(
      "SANDBOX_REFUSED",
      "Cannot confine the agent: the proxy that its network mode needs does not run",
      { exitCode: ExitCode.refused },
    );
  }
  const wanted = [proxy.port, ...ports.map(({ port }) => port)];
  return [
    ...[...new Set(wanted)].map((port) =>
      `(allow network-outbound (remote ip "localhost:${port}"))`
    ),
    '(allow network-inbound network-bind (local ip "localhost:*"))',
  ];
}

/** Unix sockets: those that what is inside made itself, and those that are granted. Without a network there are none unless some are granted. */
function socketRules(policy: SandboxPolicy, parameters: Parameters): string[] {
  const { network, unixSockets } = policy;
  const inside = network.mode === "none" && unixSockets.length === 0
    ? []
    : policy.grants.filter(({ access }) => access === "write");
  const rules = inside.map(({ path, kind }) => {
    const filter = kind === "directory" ? "subpath" : "path-literal";
    return socketRule(`(${filter} (param "${parameters.name(path)}"))`);
  });
  return [
    "(allow system-socket (socket-domain AF_UNIX))",
    ...rules,
    ...policy.unixSockets.map(({ path, tree }) =>
      `(allow network-outbound (remote unix-socket (${
        tree ? "subpath" : "path-literal"
      } (param "${parameters.name(path)}"))))`
    ),
  ];
}

function socketRule(filter: string): string {
  return `(allow network-bind (local unix-socket ${filter}))\n` +
    `(allow network-outbound (remote unix-socket ${filter}))`;
}

/** Nothing there is changed, made or taken away, and no directory above it is moved away to make room for another. */
function protectRules(
  { path, tree, state }: ProtectedPath,
  grants: readonly PathGrant[],
  parameters: Parameters,
): string[] {
  const isTree = tree && state !== "file";
  const entry = `(literal (param "${parameters.name(path)}"))`;
  const below = isTree ? ` (subpath (param "${parameters.name(path)}"))` : "";
  const pinned = directoriesAbove(path, grants).map((dir) =>
    `(deny file-write-unlink (literal (param "${parameters.name(dir)}")))`
  );
  // A directory that is only held in its place: what is inside it has rules of its own.
  const operations = state === "directory" && !tree
    ? "file-write-unlink file-write-create"
    : "file-write*";
  return [`(deny ${operations} ${entry}${below})`, ...pinned];
}

/** What is missing is not made under a name in other letters either. */
function spellingRules(
  paths: readonly ProtectedPath[],
  parameters: Parameters,
): string[] {
  const missing = paths.filter(({ state }) => state === "missing")
    .map(({ path }) => path);
  return [...Map.groupBy(missing, parent)].map(([dir, names]) =>
    `(deny file-write-create (require-all (subpath (param "${
      parameters.name(dir)
    }")) (regex #"${spellingsIn(dir, names)}")))`
  );
}

/** The directories between a protected path and the grants that make it writable. */
function directoriesAbove(
  path: AbsPath,
  grants: readonly PathGrant[],
): AbsPath[] {
  const writable = grants.filter(({ access }) => access === "write");
  return ancestors(parent(path)).filter((dir) =>
    writable.some((grant) => isWithin(dir, grant.path))
  );
}

/** A granted directory itself is neither made nor taken away, unless the one above it is granted as well. */
function rootRules(
  grants: readonly PathGrant[],
  parameters: Parameters,
): string[] {
  const making = grants.filter(({ access }) =>
    access === "write" || access === "create" || access === "folders"
  );
  const roots = making.filter(({ path }) =>
    !making.some((grant) =>
      grant.kind === "directory" && isBelow(path, grant.path)
    )
  );
  return roots.map(({ path }) =>
    `(deny file-write-create file-write-unlink (literal (param "${
      parameters.name(path)
    }")))`
  );
}

function sealRule(
  { path, except }: SealedPath,
  parameters: Parameters,
): string {
  const place = `(subpath (param "${parameters.name(path)}"))`;
  const open = except.map((dir) =>
    `(require-not (subpath (param "${parameters.name(dir)}")))`
  );
  return open.length === 0
    ? `(deny file-write* ${place})`
    : `(deny file-write* (require-all ${place} ${open.join(" ")}))`;
}
