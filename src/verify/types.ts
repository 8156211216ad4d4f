/** Words of this module. */

/** What an item is. */
export type Kind =
  | "plugin"
  | "copy"
  | "skill"
  | "command"
  | "agent"
  | "hook"
  | "mcp server"
  | "mcp tool"
  | "variable"
  | "memory"
  | "output style"
  | "model"
  | "directory"
  | "text"
  | "sandbox";

/** How an item came out. `unobserved`: declared, but nothing in this run could show it; counts neither way. */
export type Status =
  | "ok"
  | "missing"
  | "unexpected"
  | "failed"
  | "different"
  | "unobserved";

/** One line of the report. */
export interface Row {
  readonly kind: Kind;
  readonly item: string;
  /** Who declares it: `manifest`, `plugin NAME`, `own config`, `project`, `policy`; `?` when nobody does. */
  readonly from: string;
  /** Whether, how often, or as what it is declared. */
  readonly declared: boolean | number | string;
  /** Whether, how often, or as what the agent had it. */
  readonly seen: boolean | number | string;
  readonly status: Status;
  readonly detail?: string;
}

/** The outcome of a verification. */
export interface Report {
  readonly env: string;
  readonly agent: string;
  readonly version: string;
  /** Whether declared and seen are equal. */
  readonly ok: boolean;
  readonly rows: readonly Row[];
  /** What the reader should know besides: differences from a launch, things that could not be looked at. */
  readonly notes: readonly string[];
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** What stands in for the places an item can come from. */
export const From = {
  manifest: "manifest",
  own: "own config",
  project: "project",
  policy: "policy",
  nobody: "?",
} as const;

/** An item that should be there. */
export interface Expected {
  readonly kind: Kind;
  readonly item: string;
  /** Names under which the agent may list it. */
  readonly names: readonly string[];
  readonly from: string;
  /** False where the agent has reasons of its own to leave it out. */
  readonly required: boolean;
}

/** A plugin that should be there. */
export interface ExpectedPlugin {
  readonly name: string;
  readonly from: string;
  /** Where it must have been loaded from; undefined when that is the agent's choice. */
  readonly path: string | undefined;
  /** `name@marketplace` where it comes from one. */
  readonly id: string | undefined;
}

/** A hook command that should run. */
export interface ExpectedHook {
  readonly event: string;
  readonly command: string;
  readonly from: string;
}

/** A variable that hooks and servers should have. */
export interface ExpectedVariable {
  readonly name: string;
  readonly value: string;
  readonly from: string;
  /** False for one that is replaced for the observation. */
  readonly observable: boolean;
}

/** Everything that should be there. */
export interface Declared {
  readonly plugins: readonly ExpectedPlugin[];
  /** Skills, commands, agents and memory files. */
  readonly items: readonly Expected[];
  /** Names that our settings switch off: the agent may list them, but offers them to nobody. */
  readonly switchedOff: readonly string[];
  /** Beginnings of names that belong to something declared, such as `plugin:`. */
  readonly families: readonly {
    readonly prefix: string;
    readonly from: string;
  }[];
  readonly servers: readonly {
    readonly name: string;
    readonly from: string;
    /** Why it cannot be there. */
    readonly barred?: string;
    /** Whether it runs beside the agent, which has a relay to it. */
    readonly beside?: boolean;
  }[];
  readonly hooks: readonly ExpectedHook[];
  /** Who switched hooks off. */
  readonly hooksOff: string | undefined;
  readonly variables: readonly ExpectedVariable[];
  readonly style: { readonly name: string; readonly from: string } | undefined;
  readonly model: string | undefined;
  readonly directories: readonly string[];
  /** Directories in which everything the agent remembers is the env's own. */
  readonly memoryRoots: readonly string[];
  /** Texts that a request must contain. */
  readonly texts: readonly {
    readonly item: string;
    readonly from: string;
    readonly text: string;
  }[];
}

/** A hook command that ran. */
export interface HookRun {
  readonly event: string;
  /** Undefined when it has not ended. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What one run of the agent showed. */
export interface Observation {
  readonly version: string;
  readonly session: string;
  readonly plugins: readonly {
    readonly name: string;
    readonly path: string;
    readonly source: string;
  }[];
  readonly pluginErrors: readonly {
    readonly plugin: string;
    readonly message: string;
  }[];
  readonly servers: readonly {
    readonly name: string;
    readonly status: string;
  }[];
  readonly skills: readonly string[];
  readonly commands: readonly string[];
  readonly agents: readonly string[];
  readonly tools: readonly string[];
  readonly style: string;
  readonly model: string;
  readonly autoMemory: string | undefined;
  readonly directories: readonly string[];
  readonly hooks: readonly HookRun[];
  /** Rows of the tables that `/context` prints: name or path, and source. */
  readonly listed: {
    readonly memory: readonly Listed[];
    readonly skills: readonly Listed[];
    readonly agents: readonly Listed[];
  };
}

/** A row of a `/context` table. */
export interface Listed {
  readonly name: string;
  readonly source: string;
}

/** What the agent has by itself. */
export interface Baseline {
  readonly version: string;
  readonly model: string;
  readonly style: string;
  readonly names: readonly string[];
  readonly agents: readonly string[];
  readonly plugins: readonly string[];
  readonly tools: readonly string[];
  /** Variables that it sets or takes away in hooks. */
  readonly variables: readonly string[];
}
