/** What a policy is made from: what the env asks for, what the launch knows, and what was found on this machine. */
import type { AbsPath } from "../base/paths.ts";
import type {
  Access,
  AgentPart,
  Harmless,
  Reason,
  VariableDecision,
} from "./types.ts";

/** `[sandbox]`, as far as a policy is concerned. */
export interface SandboxWishes {
  readonly paths: readonly {
    readonly path: string;
    readonly access: "ro" | "rw";
  }[];
  readonly network:
    | { readonly mode: "open" }
    | { readonly mode: "none" }
    | {
      readonly mode: "hosts";
      readonly allow: readonly string[];
      /** See `NetworkPolicy`. */
      readonly insteadOfNone?: string;
    };
  readonly envHost: readonly string[];
  readonly pathDirs: readonly string[];
  readonly cacheDirs: readonly string[];
  readonly unixSockets: readonly SocketWish[];
  readonly protect: readonly string[];
  /** Key → the table that it stands in, where that is not `sandbox`. */
  readonly tables?: Readonly<Record<string, string>>;
}

/** An entry of `unix_sockets`. */
export interface SocketWish {
  /** As the manifest has it. */
  readonly text: string;
  /** Where it is, as a path of the manifest; undefined when its variable is not set. */
  readonly path: string | undefined;
}

/** A place that the launch itself wants granted. */
export interface Place {
  readonly path: AbsPath;
  readonly access: Access;
  readonly why: Reason;
  /** A directory that is made when it is missing. */
  readonly make?: boolean;
  /** Left out when it is missing. */
  readonly optional?: boolean;
}

/** A place inside a writable one that must stay as it is. */
export interface Guarded {
  readonly path: AbsPath;
  /** Whether everything below it counts as well. */
  readonly tree: boolean;
  readonly why: Reason;
  readonly harmless?: Harmless;
}

/** What the launch knows. */
export interface PolicyInput {
  readonly domain: string;
  readonly os: "linux" | "darwin";
  /** Effective user id. */
  readonly uid: number;
  /** `$HOME`; undefined where none is set. */
  readonly home: AbsPath | undefined;
  /** `$AENV_HOME`. */
  readonly aenvHome: AbsPath;
  /** Where the user stands. */
  readonly cwd: AbsPath;
  /** Root of the repository around the cwd, else the cwd. */
  readonly projectRoot: AbsPath;
  /** What may be done in the project; `write` unless given. `read`: also run. */
  readonly project?: "write" | "read" | "none";
  /** What relative paths of the manifest start from. */
  readonly baseDir: AbsPath;
  /** The manifest and its lock, by every name they have. */
  readonly manifests: readonly AbsPath[];
  /** Names the manifest in reasons: `aenv.toml`. */
  readonly wishes: SandboxWishes;
  readonly agent: AgentPart;
  /** Other programs that have to be startable, such as those of MCP servers. */
  readonly programs: readonly {
    readonly path: AbsPath;
    readonly why: Reason;
  }[];
  /** The slot's agent state, the run directory, installed plugins, the login, …; ours, so they may lie in `$AENV_HOME`. */
  readonly places: readonly Place[];
  /** Parts of those that must stay as they are. */
  readonly guarded: readonly Guarded[];
  /** Private caches: made and granted, and tools are pointed to it. */
  readonly cacheDir: AbsPath;
  readonly tmpDir: AbsPath;
  /** The caller's variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** Decisions about them. */
  readonly environment: readonly VariableDecision[];
}

/** A grant that is wanted, before anybody looked whether the path exists. */
export interface Wish {
  /** Absolute; `*` and `?` stand for parts of one name when {@link Wish.glob}. */
  readonly path: AbsPath;
  readonly access: Access;
  readonly why: Reason;
  /**
   * `must`: no launch without it. `asked`: the manifest names it: what may not be granted stops the launch, what is missing
   * is left out with a remark. `may`: left out where it is missing or may not be granted.
   */
  readonly need: "must" | "asked" | "may";
  readonly glob?: boolean;
  readonly make?: boolean;
  /** A file that is granted only as long as it holds no credential. */
  readonly unlessSecret?: boolean;
  /** A configuration of git, which stops when it may not read one. */
  readonly ofGit?: boolean;
  /** A Unix socket to connect to, or a directory of them; nothing else is granted there. */
  readonly toConnect?: boolean;
}

/** What a path leads to. */
export interface Match {
  /** Real path. */
  readonly path: AbsPath;
  readonly kind: "file" | "directory" | "socket" | "missing";
  /** Directories (real) in which a symlink was followed on the way. */
  readonly links: readonly AbsPath[];
  /** Why its contents keep it from being granted. */
  readonly problem?: string;
}

/** A wish and what it leads to on this machine; no match: nothing is there. */
export interface Found {
  readonly wish: Wish;
  readonly matches: readonly Match[];
}

/** A git directory and what in it must stay as it is. */
export interface GitPlaces {
  /** The entry in the working tree: a directory, or a file that points to one. */
  readonly entry: AbsPath;
  /** Directories that git writes: the common one, and that of this worktree where it lies elsewhere. Real paths. */
  readonly dirs: readonly AbsPath[];
  /** Git directories of submodules and worktrees below them. */
  readonly modules: readonly AbsPath[];
  /** Where `core.hooksPath` leads. */
  readonly hooksPath: AbsPath | undefined;
  /** Why directories outside the working tree are not granted. */
  readonly problem: string | undefined;
}

/** What a candidate for protection is now. */
export interface GuardState extends Guarded {
  readonly state: "file" | "directory" | "symlink" | "missing";
}

/** What was found on this machine. Paths are real. */
export interface HostFacts {
  readonly home: AbsPath | undefined;
  readonly aenvHome: AbsPath;
  readonly cwd: AbsPath;
  readonly projectRoot: AbsPath;
  /** Directories of PATH, existing or not. */
  readonly searchPath: readonly AbsPath[];
  readonly git: readonly GitPlaces[];
  readonly found: readonly Found[];
  readonly guards: readonly GuardState[];
}
