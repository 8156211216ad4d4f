/**
 * What a confined launch may do, as one plain value. Both writers (Landlock and seccomp, Seatbelt), the network proxy,
 * the probe and `explain` work from this value and from nothing else. What it does not grant is denied.
 */
import type { AbsPath } from "../base/paths.ts";

/** Where a grant comes from. */
export type ReasonSource =
  | "system"
  | "device"
  | "agent"
  | "login"
  | "path"
  | "dotfile"
  | "project"
  | "git"
  | "slot"
  | "run"
  | "tmp"
  | "manifest"
  | "builtin";

/** Why something is granted, protected or left out. */
export interface Reason {
  readonly source: ReasonSource;
  /** The rule, or the line of the manifest: `sandbox.paths: "~/data:ro"`. For people. */
  readonly text: string;
}

/**
 * What may be done at a path and everywhere below it. {@link RIGHTS} says what each means. Rights add up along a path:
 * a grant below another one can only add.
 */
export type Access =
  | "read"
  | "exec"
  | "write"
  | "device"
  | "create"
  | "folders";

/** What somebody wants to do at a path. Looking at metadata (stat) is always allowed. */
export type Operation =
  /** Read a file. */
  | "read"
  /** List a directory. */
  | "list"
  /** Execute a program. */
  | "exec"
  /** Change the contents of an existing file. */
  | "write"
  /** Make, remove, rename and link entries. */
  | "create"
  /** Make directories. */
  | "folder"
  /** Control a device. */
  | "ioctl";

/** The operations of each kind of access. */
export const RIGHTS: Readonly<Record<Access, readonly Operation[]>> = {
  read: ["read", "list"],
  exec: ["read", "list", "exec"],
  write: ["read", "list", "exec", "write", "create", "folder"],
  /** An existing device: nothing is created. */
  device: ["read", "list", "write", "ioctl"],
  /** A place shared with others, such as /dev/shm: own files can be made and used, those of others cannot be found. */
  create: ["read", "write", "create", "folder"],
  /** A place whose files others run: directories can be made there, nothing in them, and none moved. */
  folders: ["read", "list", "folder"],
};

/** One granted path. */
export interface PathGrant {
  /** Real path: no component was a symlink when it was resolved. */
  readonly path: AbsPath;
  /** What was there when it was resolved. A grant for something missing is not in a policy. Sockets are in {@link SandboxPolicy.unixSockets}. */
  readonly kind: "file" | "directory";
  readonly access: Access;
  readonly why: Reason;
}

/** A path below a writable one that must stay as it is. */
export interface ProtectedPath {
  /** The directory part is real; the last name is as the project has it. */
  readonly path: AbsPath;
  /** What is there now. What is `missing` must not be created; a `symlink` must not be replaced (its target has an entry of its own). */
  readonly state: "file" | "directory" | "symlink" | "missing";
  /** Whether it is (or would be) protected with everything below it. */
  readonly tree: boolean;
  readonly why: Reason;
  /** Which changes of it are nobody's concern; every one is when there is none. */
  readonly harmless?: Harmless;
}

/** Changes of a protected path that can make nothing run and nothing be believed. */
export type Harmless =
  /** A configuration of git: where branches and new remotes lead. */
  | { readonly kind: "git-config" }
  /** Hooks of git: the samples, which do not run under their names. */
  | { readonly kind: "git-hooks" }
  /** An object in JSON: these keys, which hold a word, a number or a yes or no. */
  | { readonly kind: "json"; readonly keys: readonly string[] };

/** A place that no grant may make writable, inside the project or not: shown by `explain`, denied last by Seatbelt. */
export interface SealedPath {
  readonly path: AbsPath;
  /** Real paths of the parts that are writable all the same (the slot's agent state in our home). */
  readonly except: readonly AbsPath[];
  readonly why: Reason;
}

/** One entry of `network.allow` that names hosts: a name, `*.name`, a preset, an address, each with an optional port. As written. */
export interface HostGrant {
  readonly pattern: string;
  readonly why: Reason;
}

/** A TCP port on loopback that may be connected to without the proxy (`localhost:5432`). */
export interface PortGrant {
  readonly port: number;
  readonly why: Reason;
}

/**
 * A Unix socket that may be connected to. Sockets below a `write` grant need none, where the system can tell sockets apart:
 * what is inside made them.
 */
export interface SocketGrant {
  /** Real path. */
  readonly path: AbsPath;
  /** Whether it is a directory, and every socket below it is meant. */
  readonly tree?: boolean;
  readonly why: Reason;
}

/** What the network may be used for. */
export type NetworkPolicy =
  | { readonly mode: "open" }
  /** No sockets but socketpairs and granted Unix sockets. */
  | { readonly mode: "none" }
  | {
    readonly mode: "hosts";
    /** Every entry of the manifest; none: no host at all. Those for loopback stand in `ports` as well. */
    readonly allow: readonly HostGrant[];
    readonly ports: readonly PortGrant[];
    /** Why it is a list although the manifest says `none`; for people. */
    readonly insteadOfNone?: string;
    /** Where our proxy listens on 127.0.0.1; undefined until it runs. A writer that enforces refuses a policy without it. */
    readonly proxy: { readonly port: number } | undefined;
  };

/** Whether one variable reaches the confined process. Values are not part of a policy. */
export interface VariableDecision {
  readonly name: string;
  readonly passes: boolean;
  /** The rule that decided. For people. */
  readonly why: string;
  /** Set where it holds the path of a granted Unix socket. */
  readonly socket?: true;
}

/** What is particular to the agent that is started. */
export interface AgentPart {
  readonly name: "claude" | "codex" | "none";
  /** Real path of the program. */
  readonly program: AbsPath;
  /** macOS: whether its login lives in the keychain, which then has to be reachable. */
  readonly keychain: boolean;
  /** Addresses of its API that the user's own settings name, for `@agent`. */
  readonly urls?: readonly string[];
}

/** A grant that was possible and is not given: nothing fails for it, but `explain` says so. */
export interface LeftOut {
  readonly path: string;
  readonly why: string;
}

/** The whole policy of one domain. */
export interface SandboxPolicy {
  /** Who is confined by it: `agent`, or `mcp.<name>` for a server with a domain of its own. */
  readonly domain: string;
  readonly os: "linux" | "darwin";
  readonly agent: AgentPart;
  /** Sorted by path; at most one grant for each pair of path and access. */
  readonly grants: readonly PathGrant[];
  /** Sorted by path; each lies below a `write` grant. */
  readonly protected: readonly ProtectedPath[];
  readonly sealed: readonly SealedPath[];
  readonly network: NetworkPolicy;
  readonly unixSockets: readonly SocketGrant[];
  readonly environment: readonly VariableDecision[];
  /** Private temporary directory, granted `write` and named by TMPDIR. Made by the launch. */
  readonly tmpDir: AbsPath;
  /** Granted directories that are not there yet; the launch makes them (0700) before anything is enforced. With {@link SandboxPolicy.tmpDir}. */
  readonly make: readonly AbsPath[];
  /** Variables that have to be set because of the policy, such as TMPDIR. No secrets. */
  readonly sets: Readonly<Record<string, string>>;
  /** Signals and abstract Unix sockets reach only what is in the same domain. Always asked for; the kernel may not have it. */
  readonly scopes: { readonly signals: true; readonly abstractSockets: true };
  readonly leftOut: readonly LeftOut[];
}
