/** Which parts of a Claude Code configuration directory are configuration. */

/** Top-level entries that are copied whole, with links in them followed as {@link Tree} says. */
export const COPIED: readonly string[] = [
  "AGENTS.md",
  "CLAUDE.md",
  "agents",
  "commands",
  "hooks",
  "keybindings.json",
  "output-styles",
  "rules",
  "skills",
  "themes",
  "workflows",
];

/** The installed plugins: files are as their makers wrote them. */
export const PLUGIN_TREES: readonly string[] = [
  "plugins/cache",
  "plugins/marketplaces",
];

/** What Claude Code writes down about plugins: JSON with absolute paths. */
export const PLUGIN_REGISTRIES: readonly string[] = [
  "plugins/installed_plugins.json",
  "plugins/known_marketplaces.json",
];

/** The user's settings: copied without credentials. */
export const SETTINGS_FILE = "settings.json";

/** State, sessions and logins: never copied, even where a file refers to them. */
const STATE = new Set([
  "backups",
  "cache",
  "caches",
  "daemon",
  "debug",
  "downloads",
  "file-history",
  "history.jsonl",
  "ide",
  "jobs",
  "local",
  "logs",
  "paste-cache",
  "plans",
  "policy-limits.json",
  "projects",
  "remote-settings.json",
  "session-env",
  "sessions",
  "settings.local.json",
  "shell-snapshots",
  "state",
  "stats-cache.json",
  "statsig",
  "tasks",
  "teams",
  "telemetry",
  "todos",
  "uploads",
  "usage-data",
]);

/** Files that hold logins, wherever they stand. Examples of `.env` files hold none. */
const LOGIN_FILE =
  /^(\.credentials.*|\.claude\.json.*|\.env(\..+)?|\.netrc|\.npmrc|\.pypirc|\.git-credentials|id_(rsa|dsa|ecdsa|ed25519)|.*\.(pem|p12|pfx|keychain))$/i;
const EXAMPLE = /\.(example|sample|template|dist)$/i;

/** Directories below HOME that are full of them. */
const LOGIN_DIR =
  /(^|[/\\])(\.ssh|\.gnupg|\.aws|\.kube|\.docker|\.azure)([/\\]|$)/;

/** Neither configuration nor worth a word: version control, caches. */
const NOISE = /^(\.git|\.hg|\.svn|\.DS_Store|Thumbs\.db|__pycache__|.*\.pyc)$/;

/** Why a file or directory called `name` is never copied; `""` when that needs no word. Undefined when it may be. */
export function nameRefusal(name: string): string | undefined {
  if (NOISE.test(name)) return "";
  if (LOGIN_FILE.test(name) && !EXAMPLE.test(name)) {
    return "it may hold a login";
  }
  return undefined;
}

/** Whether a path relative to the configuration directory is state, a session or a login. */
export function isState(path: string): boolean {
  const parts = path.split(/[/\\]/);
  const [top = "", second] = parts;
  return STATE.has(top) || (top === "plugins" && second === "data") ||
    parts.some((part) => nameRefusal(part) !== undefined);
}

/** Whether a real path is, or lies in, a place for logins. */
export function isLoginPlace(path: string): boolean {
  return LOGIN_DIR.test(path) ||
    path.split(/[/\\]/).some((part) =>
      nameRefusal(part) === "it may hold a login"
    );
}
