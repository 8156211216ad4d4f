/** What the log is told: a closed set of events, each with what belongs to it. Never a value of a secret, a path of a URL or a header. */

/** Who a host or an address was refused to, or allowed. */
export interface Where {
  readonly host: string;
  readonly port: number;
}

/** Everything that is written down. */
export type AuditEvent =
  /** An agent or another program of an env starts. */
  | {
    readonly event: "launch-begin";
    /** `claude`, or `none` for another program. */
    readonly agent: string;
    readonly cwd: string;
    /** `none`, `hosts` or `open`; `unconfined` without a sandbox. */
    readonly network: string;
    /** Hash of the sandbox policy, where it was made for this launch. */
    readonly policy?: string;
    /** Whether a process of ours stays and can tell of the rest. */
    readonly supervised: boolean;
  }
  /** It has ended: with an exit code, 128+n after signal n, where that can be known. */
  | { readonly event: "launch-end"; readonly code?: number }
  /** It was not started. */
  | {
    readonly event: "launch-refused";
    readonly code: string;
    readonly why: string;
  }
  /** Somebody asked for it to run without the env's sandbox. */
  | { readonly event: "sandbox-off" }
  /** The proxy let a connection through: told once for each host and port. */
  | ({
    readonly event: "host-allowed";
    readonly rule: string;
    /** The proxy of the user's own network that was asked to connect, without its credential. */
    readonly via?: string;
  } & Where)
  | ({ readonly event: "host-refused"; readonly why: string } & Where)
  /** An address or socket that a process inside wanted to connect to. */
  | {
    readonly event: "connect-refused";
    readonly to: string;
    readonly why: string;
  }
  /** The kernel itself refused it, and told us. */
  | {
    readonly event: "kernel-refused";
    /** The rights that were missing, as the kernel calls them. */
    readonly rights: string;
    /** A path, a process or a port; empty where the kernel names nothing. */
    readonly to: string;
  }
  /** The agent's own record says that a tool was refused something: its word, written down at the end. */
  | {
    readonly event: "tool-refused";
    readonly tool: string;
    readonly why: string;
    /** When, as the agent says. */
    readonly when: string;
  }
  /** A secret went to a server, or into the agent's variables. */
  | {
    readonly event: "secret-used";
    readonly by: string;
    readonly keys: readonly string[];
  }
  | {
    readonly event: "secret-added" | "secret-rotated" | "secret-removed";
    readonly key: string;
    readonly backend: string;
  }
  /** Protected files of a project are not as they were; or were accepted or taken back. */
  | {
    readonly event: "files-changed" | "files-accepted" | "files-reverted";
    readonly project: string;
    readonly paths: readonly string[];
  }
  | {
    readonly event: "mount-added" | "mount-removed";
    readonly paths: readonly string[];
  }
  | {
    readonly event: "trust-given" | "trust-withdrawn";
    readonly manifest: string;
    /** Hash of the manifest's text. */
    readonly hash?: string;
  }
  /** A change of ours was taken back: also trust that was given or withdrawn, and what a manifest grants. */
  | {
    readonly event: "rolled-back";
    /** What had been done: `trust`, `mount add`. */
    readonly change: string;
    /** Its id in the history. */
    readonly id: string;
  }
  /** So many events of a kind came too fast to be written one by one. */
  | {
    readonly event: "left-out";
    readonly what: string;
    readonly count: number;
  }
  /** The log was emptied. */
  | { readonly event: "log-cleared"; readonly lines: number };

/** The names of events. */
export type EventName = AuditEvent["event"];

/** Whose event it is. */
export interface Subject {
  /** Label of the env. */
  readonly env?: string | undefined;
  /** The launch: its process id and start. */
  readonly session?: string | undefined;
  /** `agent`, or `mcp.NAME` for a server in a domain of its own. */
  readonly domain?: string | undefined;
}
