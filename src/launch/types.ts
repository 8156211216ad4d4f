/** A launch as one plain value. */
import type { AbsPath } from "../base/paths.ts";
import type { Dirs } from "../base/dirs.ts";
import type { OpenEnv } from "../env/mod.ts";
import type { Program } from "../os/exec.ts";
import type { Host } from "../os/host.ts";
import type { Protection, QuickLaunch, SandboxPolicy } from "../sandbox/mod.ts";
import type { TreeHash } from "../store/mod.ts";
import type { Variables } from "./environment.ts";

/** Where a plan is performed. */
export interface PerformContext {
  readonly env: OpenEnv;
  readonly host: Host;
  readonly dirs: Dirs;
  /** Whether what was told before is told again. */
  readonly verbose?: boolean;
}

/** What a tree must hold. */
export interface TrustedContent {
  /** See `TreeContent`. */
  readonly hash: string;
  /** The source's stat mark when it had that hash. */
  readonly mark: string;
}

/** A tree to copy into the env's slot before the agent starts. */
export interface InstallStep {
  readonly kind: "plugin" | "skill";
  readonly name: string;
  readonly source: AbsPath;
  /** Where the copy goes; named after what the source looks like now, or after what it holds where that is checked. */
  readonly target: AbsPath;
  /** Hash of the tree that the lock pins; then it comes from the store. */
  readonly tree?: TreeHash;
  /** What the copy must hold, because the user trusted just that; undefined where nothing has to be trusted. */
  readonly content?: TrustedContent;
}

/** A file to write before the agent starts, mode 0600. */
export interface PlannedFile {
  readonly path: AbsPath;
  readonly content: string;
}

/**
 * An MCP server that needs a secret. It does not run under the agent: a supervisor starts it, or adds its headers. Templates
 * are as the manifest has them, with `${secret:KEY}` and `${VAR}`; a plan never holds a value.
 */
export type PlannedService =
  | {
    readonly kind: "stdio";
    readonly name: string;
    /** Templates. */
    readonly command: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: AbsPath;
    /** Keys of the secrets that it gets. */
    readonly secrets: readonly string[];
    /** Where the agent's relay connects. */
    readonly socket: AbsPath;
    /** Where its standard error goes, masked. */
    readonly log: AbsPath;
  }
  | {
    readonly kind: "http" | "sse";
    readonly name: string;
    /** Templates. */
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly secrets: readonly string[];
  };

/** What confines this process. */
export interface Confining {
  /** Whether this process itself has been confined: then it can clean up nothing any more. */
  readonly isApplied: boolean;
  /** Runs a program to its end, confined as the agent will be. Returns its exit code, 128+n after signal n. */
  run(program: Program, cwd: AbsPath): Promise<number>;
  /** For a launch that comes to nothing before this process is confined. */
  giveUp(): Promise<void>;
  /** Becomes the program, confined. Returns only by throwing. */
  become(program: Program): Promise<never>;
}

/** How a launch is confined. */
export interface PlannedSandbox {
  readonly policy: SandboxPolicy;
  /** Root of the project: real path. */
  readonly project: AbsPath;
  /** Why this process has to stay beside the agent for it, for people; undefined when it need not. */
  readonly supervised: string | undefined;
  /** What is enforced, in one line. */
  readonly summary: string;
  /** What may be relied on here, and what it rests on. Linux. */
  readonly protections: readonly Protection[];
  /** The earlier launch that this one goes on as. */
  readonly quick?: QuickLaunch;
}

/** A sandbox that is being planned. */
export interface Drafted {
  /** What the user should know about it. */
  readonly notes: readonly string[];
  /** Those of the caller's variables that pass. */
  passing(variables: Variables): Record<string, string>;
  /** Variables that have to be set. */
  variables(vars: Variables): Record<string, string>;
  /** The whole. Throws `SANDBOX_UNENFORCED` where this system cannot enforce it. */
  finish(services: readonly PlannedService[]): Promise<PlannedSandbox>;
}

/** What is particular to Codex. */
export interface CodexPlan {
  /** Its whole `config.toml`. */
  readonly config: string;
}

/** Everything a launch will do. Printed by `run --explain`. */
export interface LaunchPlan {
  /** The env's label. */
  readonly env: string;
  readonly agent: string;
  readonly isolation: "private" | "overlay" | "none";
  readonly cwd: AbsPath;
  readonly program: AbsPath;
  readonly args: readonly string[];
  /** The agent's whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** What differs from the caller's environment: name → new value, or null when it is taken away. */
  readonly environmentChanges: Readonly<Record<string, string | null>>;
  /** Variable → key of the secret that it gets when the agent is started. Values are never part of a plan. */
  readonly exposed: Readonly<Record<string, string>>;
  /** MCP servers beside the agent. With any, this process stays as its supervisor; else it becomes the agent. */
  readonly services: readonly PlannedService[];
  /** Undefined when the env does not ask for one. */
  readonly sandbox: PlannedSandbox | undefined;
  readonly installs: readonly InstallStep[];
  readonly files: readonly PlannedFile[];
  /** Where Codex is started, or may be. */
  readonly codex?: CodexPlan;
  /** Shell command run first. */
  readonly hook: string | undefined;
  /** Directory to mark as trusted in the env's own agent state. */
  readonly trust: AbsPath | undefined;
  /** What the user should know; printed to standard error. */
  readonly notes: readonly string[];
}
