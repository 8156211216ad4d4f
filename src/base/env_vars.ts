/** Every environment variable that we read or set, in one place. */

/** Names of our variables. */
export const Var = {
  /** Our home directory; default `$XDG_DATA_HOME/aenv`, then `~/.aenv`. Set in every launch, so that it stays reachable from inside. */
  home: "AENV_HOME",
  /** The environment to use: a global env's name, `global`, or a project's absolute `aenv.toml`. Set by a launch, so that nested commands resolve alike. */
  env: "AENV",
  /** Beats `AENV`. Set to `global` by `quit`. */
  override: "AENV_OVERRIDE",
  /** What `aenv use` chose in this shell: used where no pin is found. */
  shell: "AENV_SHELL",
  /** Set by the shell function while it runs `aenv use`: it clears the variables that would win over what is chosen. */
  shellFunction: "AENV_SHELL_FUNCTION",
  /** Label of the env that this process tree runs in. Informational. */
  active: "AENV_ACTIVE",
  /** Process id of the launcher: a shim that finds its own id here was started by another shim. */
  launcher: "AENV_LAUNCHER",
  /** Set inside a sandbox: the launch's own directory. What it says is not relied on: the system holds the sandbox. */
  sandbox: "AENV_SANDBOX",
  /** JSON object: what a launch changed, name → former value or null; a nested launch undoes it first. Paths only, never a user's variable. */
  restore: "AENV_RESTORE",
  /** Where secrets are kept: `keyring` or `file`. Beats `secret_backend` of config.toml. */
  secretBackend: "AENV_SECRET_BACKEND",
  /** Set for a command that a manifest names for a secret: its key. */
  secretKey: "AENV_SECRET_KEY",
  /** Any value silences notices on standard error. */
  quiet: "AENV_QUIET",
} as const;

/** The variables that mark a process as running inside an env. */
export const BREADCRUMBS: readonly string[] = [
  Var.env,
  Var.active,
  Var.home,
  Var.launcher,
  Var.sandbox,
  Var.restore,
];
