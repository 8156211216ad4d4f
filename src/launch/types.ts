/** A launch as one plain value. */
import type { AbsPath } from "../base/paths.ts";
import type { TreeHash } from "../store/mod.ts";

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
  readonly installs: readonly InstallStep[];
  readonly files: readonly PlannedFile[];
  /** Shell command run first. */
  readonly hook: string | undefined;
  /** Directory to mark as trusted in the env's own agent state. */
  readonly trust: AbsPath | undefined;
  /** What the user should know; printed to standard error. */
  readonly notes: readonly string[];
}
