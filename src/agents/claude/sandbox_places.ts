/**
 * What Claude Code needs of the file system besides the project. Measured on 2.1.197 and 2.1.329: HOME need not be readable;
 * the config directory has to be writable as a directory, since its state file is replaced by a rename.
 */
import { type AbsPath, join } from "../../base/paths.ts";
import { isDirectory, lstat, readDir, realPath } from "../../os/fs.ts";
import { READ_ONLY_LOGIN } from "./login_expiry.ts";
import type { UserConfig } from "./user_config.ts";

/** One place and what may be done there. */
export interface AgentPlace {
  readonly path: AbsPath;
  readonly access: "read" | "write" | "folders";
  /** For people. */
  readonly why: string;
  readonly part: "agent" | "login";
  /** Made when it is missing. */
  readonly make: boolean;
}

/** What a confined Claude Code gets. */
export interface AgentPlaces {
  readonly places: readonly AgentPlace[];
  /** Entries of its own configuration that would change what runs next time: directory or file. */
  readonly guarded: readonly {
    readonly path: AbsPath;
    readonly tree: boolean;
    /** Of a file in JSON: keys that it changes as one works, and that make nothing run. */
    readonly plainKeys?: readonly string[];
  }[];
  /** macOS: whether the login is in the keychain. */
  readonly keychain: boolean;
  readonly notes: readonly string[];
}

/** Files that a login directory of its own holds: nothing else there runs or is believed. */
const LOGIN_FILES =
  /^(\.credentials\.json(\.tmp[\w.]*)?|\.oauth_refresh\.lock(\.owner)?|\.storage-write\.lock|\.DS_Store)$/;

/**
 * Parts of a config directory that hold the agent's state and nothing that runs. Conversations are granted by project. Not
 * shell-snapshots: sessions outside run theirs before every command, and ours does without (`bash -l`).
 */
const STATE_DIRS: readonly string[] = [
  "backups",
  "debug",
  "file-history",
  "paste-cache",
  "plans",
  "sessions",
  "statsig",
  "tasks",
  "telemetry",
  "todos",
];

/** Longer names are cut and get a hash: then all conversations are granted. */
const MAX_SLUG = 200;

/** Parts of an env's own config directory that steer the next session. */
const STEERING: readonly (readonly [string, boolean])[] = [
  ["settings.json", false],
  ["settings.local.json", false],
  ["CLAUDE.md", false],
  ["agents", true],
  ["commands", true],
  ["hooks", true],
  ["output-styles", true],
  ["rules", true],
  ["skills", true],
  ["workflows", true],
];

/** Settings that commands such as /model, /fast and /config write, and that only say how the agent looks and which model answers. */
const PLAIN_SETTINGS: readonly string[] = [
  "advisorModel",
  "alwaysThinkingEnabled",
  "editorMode",
  "effortLevel",
  "fastMode",
  "model",
  "spinnerTipsEnabled",
  "syntaxHighlightingDisabled",
  "theme",
  "tui",
  "verbose",
  "voiceEnabled",
];

/** Where the env keeps its state, and where the user's own is. */
export interface AgentPlacesInput {
  readonly isolation: "private" | "overlay";
  readonly os: "linux" | "darwin";
  readonly configDir: AbsPath;
  readonly user: UserConfig;
  readonly home: AbsPath;
  readonly cwd: AbsPath;
  /** Whether a variable brings a login: then none is looked for on disk. */
  readonly hasLogin: boolean;
}

/** What Claude Code needs in this env. Reads, never writes. */
export function agentPlaces(input: AgentPlacesInput): AgentPlaces {
  const login = loginPlaces(input);
  if (input.isolation === "overlay") {
    return {
      places: [...overlayPlaces(input), ...login.places],
      guarded: [],
      keychain: login.keychain,
      notes: login.notes,
    };
  }
  const { configDir } = input;
  return {
    places: [
      place(configDir, "write", {
        why: "the agent's state in this environment",
        make: true,
      }),
      ...login.places,
    ],
    guarded: STEERING.map(([name, tree]) => ({
      path: join(configDir, name),
      tree,
      ...(name === "settings.json" ? { plainKeys: PLAIN_SETTINGS } : {}),
    })),
    keychain: login.keychain,
    notes: login.notes,
  };
}

/** The user's own directory, as far as it holds sessions: not settings, hooks, plugins or servers, and no conversations of other projects. */
function overlayPlaces({ user, cwd }: AgentPlacesInput): AgentPlace[] {
  const { dir, stateFile } = user;
  const history = join(dir, "history.jsonl");
  const dirs = isDirectory(dir)
    ? [...STATE_DIRS, `projects/${projectSlug(cwd)}`]
    : [];
  return [
    ...(lstat(stateFile) === undefined
      ? []
      : [place(stateFile, "read", { why: "the agent's state file" })]),
    ...(lstat(history) === undefined
      ? []
      : [place(history, "write", { why: "prompts that were typed" })]),
    ...dirs.map((name) =>
      place(join(dir, name), "write", {
        why: "sessions that all environments share",
        make: true,
      })
    ),
    ...(isDirectory(dir)
      ? [
        place(join(dir, "session-env"), "folders", {
          why:
            "each session makes a directory; files in it run in that session",
          make: true,
        }),
        // Without it no hook of a plugin runs.
        place(join(dir, "plugins", "data"), "folders", {
          why: "each plugin with a hook gets a directory",
          make: true,
        }),
      ]
      : []),
  ];
}

/** The agent's name for the conversations of a directory; empty where it is too long to be told. */
function projectSlug(cwd: AbsPath): string {
  const slug = cwd.replace(/[^A-Za-z0-9]/g, "-");
  return slug.length > MAX_SLUG ? "" : slug;
}

/**
 * A refresh replaces the file by a rename, so it needs the directory. That is given where the directory is for a login and
 * holds nothing else: in ~/.claude it would give the settings and hooks too, also those that are not there yet. There the
 * token is read, and not refreshed.
 */
function loginPlaces(
  { user, os, home, hasLogin }: AgentPlacesInput,
): Omit<AgentPlaces, "guarded"> {
  const { loginDir } = user;
  const nothing = { places: [], keychain: false, notes: [] };
  if (hasLogin) return nothing;
  const file = join(loginDir, ".credentials.json");
  const names = (readDir(loginDir) ?? []).map(({ name }) => name);
  if (lstat(file) === undefined) {
    const keychains = join(home, "Library", "Keychains");
    if (os !== "darwin" || !isDirectory(keychains)) return nothing;
    const why = "the login, in the keychain";
    return {
      ...nothing,
      places: [place(keychains, "write", { why, part: "login" })],
      keychain: true,
    };
  }
  if (!isOwnConfig(user) && names.every((name) => LOGIN_FILES.test(name))) {
    const why = "the login, which the agent renews";
    return {
      ...nothing,
      places: [place(loginDir, "write", { why, part: "login" })],
    };
  }
  return {
    ...nothing,
    places: [place(file, "read", { why: "the login", part: "login" })],
    notes: [READ_ONLY_LOGIN],
  };
}

/** Whether the login lies where the user's settings and hooks would be believed, were there any yet. */
function isOwnConfig({ dir, loginDir }: UserConfig): boolean {
  return loginDir === dir || (realPath(loginDir) ?? loginDir) === realPath(dir);
}

function place(
  path: AbsPath,
  access: AgentPlace["access"],
  more: Pick<AgentPlace, "why"> & Partial<AgentPlace>,
): AgentPlace {
  return { path, access, part: "agent", make: false, ...more };
}
