/**
 * The layout on disk. Everything is 0700 / 0600.
 *
 * ```
 * $AENV_HOME/                    $AENV_HOME, else $XDG_DATA_HOME/aenv, else ~/.aenv
 *   config.toml                  default_env, [agents]
 *   .lock                        flock: held while the home changes
 *   shims/claude, codex, aenv    links to this binary
 *   envs/<slot>/                 <name>, or <name>-<sha8> for a project env
 *     aenv.toml                  global env: its manifest
 *     project                    project env: absolute path of its aenv.toml
 *     claude/                    the agent's config directory (isolation = "private")
 *     codex/                     Codex's: its config.toml is written anew before each launch
 *     codex.toml                 what the user keeps for that file
 *     installed/<hash>/<name>/   plugins; the wrapper plugin `skills`
 *     trusted.json               directories that we, not the user, marked as trusted in claude/
 *     .secrets.id                whose secrets it gets; a clone of git has its own, see secrets/README.md
 *     .secrets.list              keys of its secrets
 *     xdg/{config,data,state,cache}   [env] xdg = "private"
 *     cache/                   what tools in the sandbox keep
 *     server-cache/            the same for MCP servers that hold secrets, out of the agent's reach
 *     protect/                 what protected files of projects held; see sandbox/protect_record.ts
 *     told                     what launches have told the user once
 *     sandbox/                 policies of earlier launches; see sandbox/policy_memo.ts
 *   trust/<sha256 of path>.json  what the user has trusted: one file a project's manifest
 *   trust/<sha256>.shown.json    what was shown then, for the difference
 *   trust/<sha256>.marks.json    content hashes of its plugins and skills by their stat marks
 *   runs/<pid>-<start>/          one launch: run.json, settings.json, mcp.json; with servers beside the
 *                                agent their sockets, their logs and relay.pl
 *   login/claude/                the user's login after `migrate-auth`; envs share the directory
 *   login.json                   where it was before, and what was changed elsewhere for it
 *   cache/agents.json            versions of agent programs by file identity
 *   cache/list.json              what the manifests of very many envs say
 *   cache/settled/<sha>.json     what an `install` with nothing to do said, and how all looked then
 *   cache/probes/<sha256>        trials of the sandbox that went well
 *   cache/builtins.json          what an agent offers by itself, for `verify`
 *   secrets/                     ids of clones; values.json when secrets are kept in a file
 *   state/<id>/                  one transaction: record.json, what it replaced and took away
 *   audit/                       what was done and refused; see audit/README.md
 *   store/                       trees of plugins and skills by their hash; see store/README.md
 *   trash/                       what has yet to be deleted
 * ```
 */
import { type AbsPath, join, parseAbsPath } from "./paths.ts";
import { Var } from "./env_vars.ts";

/** Name of the manifest in a project and in a global env. */
export const MANIFEST_FILE = "aenv.toml";
/** Name of the lock beside a manifest. */
export const LOCK_FILE = "aenv.lock";
/** Name of the pin file. */
export const PIN_FILE = ".aenv-version";
/** Name of the file in a project env's slot that holds the path of its manifest. */
export const PROJECT_FILE = "project";

/** The directories and files of one `$AENV_HOME`. */
export interface Dirs {
  readonly root: AbsPath;
  readonly config: AbsPath;
  readonly lock: AbsPath;
  readonly shims: AbsPath;
  readonly envs: AbsPath;
  readonly trust: AbsPath;
  readonly runs: AbsPath;
  /** Of Claude Code; there once `migrate-auth` moved it. */
  readonly login: AbsPath;
  readonly loginRecord: AbsPath;
  readonly secrets: AbsPath;
  readonly agentVersions: AbsPath;
  readonly cache: AbsPath;
  readonly probes: AbsPath;
  readonly state: AbsPath;
  readonly audit: AbsPath;
  readonly store: AbsPath;
  readonly trash: AbsPath;
}

/** The layout below `root`. */
export function dirsAt(root: AbsPath): Dirs {
  return {
    root,
    config: join(root, "config.toml"),
    lock: join(root, ".lock"),
    shims: join(root, "shims"),
    envs: join(root, "envs"),
    trust: join(root, "trust"),
    runs: join(root, "runs"),
    login: join(root, "login", "claude"),
    loginRecord: join(root, "login.json"),
    secrets: join(root, "secrets"),
    cache: join(root, "cache"),
    agentVersions: join(root, "cache", "agents.json"),
    probes: join(root, "cache", "probes"),
    state: join(root, "state"),
    audit: join(root, "audit"),
    store: join(root, "store"),
    trash: join(root, "trash"),
  };
}

/** Our home: `$AENV_HOME`, else `$XDG_DATA_HOME/aenv`, else `~/.aenv`. `home` is asked only when it is needed. Throws `PATH_INVALID` on a relative one. */
export function aenvRoot(
  env: Readonly<Record<string, string>>,
  home: () => AbsPath,
): AbsPath {
  const own = env[Var.home];
  if (own) return parseAbsPath(own, `$${Var.home}`);
  const data = env["XDG_DATA_HOME"];
  if (data) return join(parseAbsPath(data, "$XDG_DATA_HOME"), "aenv");
  return join(home(), ".aenv");
}

/** The parts of one env's slot. */
export interface SlotDirs {
  readonly root: AbsPath;
  readonly manifest: AbsPath;
  readonly project: AbsPath;
  readonly claude: AbsPath;
  readonly codex: AbsPath;
  readonly codexSettings: AbsPath;
  readonly installed: AbsPath;
  readonly trusted: AbsPath;
  readonly xdg: AbsPath;
  readonly cache: AbsPath;
  readonly serverCache: AbsPath;
  readonly protect: AbsPath;
  readonly told: AbsPath;
  readonly sandbox: AbsPath;
}

/** The layout of the slot at `root`. */
export function slotAt(root: AbsPath): SlotDirs {
  return {
    root,
    manifest: join(root, MANIFEST_FILE),
    project: join(root, PROJECT_FILE),
    claude: join(root, "claude"),
    codex: join(root, "codex"),
    codexSettings: join(root, "codex.toml"),
    installed: join(root, "installed"),
    trusted: join(root, "trusted.json"),
    xdg: join(root, "xdg"),
    cache: join(root, "cache"),
    serverCache: join(root, "server-cache"),
    protect: join(root, "protect"),
    told: join(root, "told"),
    sandbox: join(root, "sandbox"),
  };
}
