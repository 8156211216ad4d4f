/** What `aenv.toml` says, as plain values. */
import type { EnvName, ItemName } from "../base/ids.ts";

/** How the user's own agent configuration is kept out. */
export type Isolation = "private" | "overlay";

/** A stdio server is a command, the others a URL. */
export type McpServer =
  | {
    readonly type: "stdio";
    readonly command: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    /** Where it is started, as written: absolute, `~/…`, or relative to the manifest; undefined is where the agent is. */
    readonly cwd: string | undefined;
    /** Whether `${secret:KEY}` may stand in its arguments, which every process can read. */
    readonly secretArgs: boolean;
    /** Declared, and not started. */
    readonly disabled: boolean;
    readonly sandbox: ServerSandbox | undefined;
  }
  | {
    readonly type: "http" | "sse";
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly disabled: boolean;
  };

/** The sections that list plugins and skills. */
export type EntryKind = "plugins" | "skills";

/** A plugin or a skill and where it comes from. */
export interface Entry {
  readonly name: ItemName;
  /** As written: a path, `file:`, `npm:`, `git+https:`, … */
  readonly source: string;
  /** Directory inside the source; relative, without `..`. */
  readonly subpath: string | undefined;
}

/** What the network may be used for. An empty `allow` means no host at all. */
export type NetworkMode =
  | { readonly mode: "open" }
  | { readonly mode: "none" }
  | { readonly mode: "hosts"; readonly allow: readonly string[] };

/** `[sandbox]`. */
export interface SandboxSection {
  readonly enabled: boolean;
  readonly paths: readonly {
    readonly path: string;
    readonly access: "ro" | "rw";
  }[];
  readonly network: NetworkMode;
  readonly envHost: readonly string[];
  readonly pathDirs: readonly string[];
  readonly cacheDirs: readonly string[];
  /** Paths of sockets and of directories of them; `$NAME` stands for the path that a variable holds. */
  readonly unixSockets: readonly string[];
  readonly protect: readonly string[];
}

/** `[mcp.<name>.sandbox]`: what is written counts for this server in the place of what `[sandbox]` says. */
export interface ServerSandbox {
  /** What it may do in the project; undefined is what the agent may. */
  readonly project: "write" | "read" | "none" | undefined;
  readonly paths: SandboxSection["paths"] | undefined;
  readonly network: NetworkMode | undefined;
  readonly pathDirs: readonly string[] | undefined;
  readonly cacheDirs: readonly string[] | undefined;
  readonly unixSockets: readonly string[] | undefined;
}

/** `[secrets]`: values that only named programs get, and where values come from. */
export interface SecretsSection {
  readonly expose: "env" | undefined;
  /** Shell command that prints the value of `$AENV_SECRET_KEY`, for every key that has none of its own. */
  readonly command: string | undefined;
  /** Key → shell command that prints its value. */
  readonly commands: Readonly<Record<string, string>>;
  readonly tools: Readonly<Record<string, readonly string[]>>;
}

/** A whole manifest, defaults filled in. */
export interface Manifest {
  readonly schema: "1" | "2";
  readonly name: EnvName;
  readonly description: string;
  readonly isolation: Isolation;
  readonly projectConfig: "load" | "ignore";
  readonly xdg: "shared" | "private";
  /** Agent → version range. */
  readonly compat: Readonly<Partial<Record<"claude" | "codex", string>>>;
  readonly vars: Readonly<Record<string, string>>;
  readonly mcp: Readonly<Record<string, McpServer>>;
  readonly plugins: readonly Entry[];
  readonly skills: readonly Entry[];
  readonly secrets: SecretsSection;
  readonly sandbox: SandboxSection | undefined;
  /** Shell command run before the agent. */
  readonly preActivate: string | undefined;
}
