/** The one error class, its codes, and the exit codes of the command line. */

/** Process exit codes. A child's own code passes through `run`, `exec` and the shims. */
export const ExitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** Policy, trust or isolation said no: the agent was not started. */
  refused: 3,
  /** A bug of ours (EX_SOFTWARE). */
  bug: 70,
  interrupted: 130,
} as const;

/** Every code an {@link AppError} can carry, with what it means. Part of the public contract. */
export const ERROR_CODES = {
  AGENT_INCOMPATIBLE:
    "the installed agent is outside the manifest's [env.compat] range",
  AGENT_LOOP: "a shim would start another shim",
  AGENT_NOT_FOUND: "no real agent on PATH or in config.toml",
  AGENT_NOT_STARTED: "the agent's program could not be executed",
  ARGUMENT_REFUSED: "an argument for the agent would undo the isolation",
  CONFIG_INVALID: "config.toml cannot be read",
  CONTENT_INVALID: "a plugin or skill is not what the manifest says it is",
  CWD_GONE: "the current directory no longer exists",
  ENV_BROKEN: "an environment exists but cannot be opened",
  ENV_BUSY: "an agent runs in the environment",
  ENV_EXISTS: "an environment of that name exists",
  ENV_IN_USE: "a pin, a setting or this shell still names the environment",
  ENV_NOT_FOUND: "no environment of that name",
  ENV_RESERVED: "the name is reserved",
  HASH_MISMATCH: "files do not hash to what was expected",
  HOME_UNSET: "HOME is not set or is not an absolute path",
  HOOK_FAILED: "a pre_activate hook failed",
  INTERRUPTED: "the user or a signal stopped it",
  IO: "the operating system refused a file operation",
  ITEM_EXISTS: "the manifest declares an item of that name",
  ITEM_NOT_FOUND: "the manifest declares no item of that name",
  KEYRING_CANCELLED: "somebody said no when the keyring asked",
  KEYRING_LOCKED: "the keyring is locked and nobody can be asked to open it",
  KEYRING_UNAVAILABLE: "there is no keyring, or it does not answer",
  LOCK_INVALID: "aenv.lock does not parse or validate",
  LOCK_OUTDATED: "aenv.lock does not pin what aenv.toml declares",
  LOCK_TIMEOUT: "another aenv process holds the lock",
  LOGIN_INVALID: "the login's files are not in a state that can be worked on",
  LOGIN_NOT_FOUND: "there is no login to move",
  MANIFEST_EXISTS: "a manifest is there already",
  MANIFEST_INVALID: "aenv.toml does not parse or validate",
  MANIFEST_UNTRUSTED:
    "aenv.toml belongs to somebody else or is writable by everybody",
  NAME_INVALID: "a name has characters or a length that names may not have",
  NETWORK_RULE_INVALID:
    "an entry of [sandbox] network.allow names no host that could be allowed",
  NOT_SUPPORTED: "this version or this system cannot do it",
  PATH_INVALID: "a path is not what the operation needs",
  PIN_INVALID: ".aenv-version does not hold one environment name",
  SECRET_COMMAND_FAILED:
    "the command that a manifest names for a secret failed",
  SECRET_EXISTS: "a secret of that key is kept already",
  SECRET_IN_TEXT: "a credential would be written down as plain text",
  SECRET_INVALID: "a value cannot be kept or handed out as it is",
  SECRET_MISSING: "no value is kept for a key",
  SANDBOX_CHANGED: "files that a sandbox protects have been changed",
  SANDBOX_REFUSED: "the sandbox may not grant what is asked for",
  SANDBOX_UNENFORCED:
    "the system cannot enforce, or does not enforce, what the sandbox promises",
  SHELL_UNSAFE: "a path cannot be put into a shell script safely",
  SOURCE_DENIED: "a server asks for a login, or refuses the one it was given",
  SOURCE_INVALID: "a source is written in none of the accepted forms",
  SOURCE_MISMATCH: "what a source delivers is not what the lock pins",
  SOURCE_NOT_FOUND: "a source has nothing of that name, version or ref",
  SOURCE_OFFLINE: "a source is needed and the network may not be used",
  SOURCE_REFUSED: "a source, or what it delivers, is not safe to take",
  SOURCE_UNREACHABLE: "a source does not answer as it should",
  STORE_CORRUPT: "the store holds something else than it should",
  STORE_MISSING: "a tree is not in the store",
  TRUST_DECLINED: "nobody said yes to what a repository would run",
  TRUST_NEEDED:
    "a repository's manifest, plugin or skill has not been trusted as it is now",
  TX_CONFLICT: "something changed since a transaction wrote it",
  TX_INVALID: "the record of a transaction cannot be used",
  TX_NOT_FOUND: "no such transaction, or none that can be taken back",
  USAGE: "wrong command line",
  VARIABLE_MISSING:
    "an environment variable that the manifest needs is not set",
  VERIFY_FAILED: "the agent could not be observed",
} as const;

/** One of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What may accompany an {@link AppError}. */
export interface AppErrorOptions {
  /** The command to type next, or what to change. No final period. */
  readonly hint?: string | undefined;
  /** Exit code; 1 unless given (2 for `USAGE`). See {@link ExitCode}. */
  readonly exitCode?: number;
  /** What made it fail. */
  readonly cause?: unknown;
}

/** An error a user can understand and act on. Any other `Error` is a bug of ours. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ??
      (code === "USAGE" ? ExitCode.usage : ExitCode.failed);
  }
}

/** Failures that say nothing about whether the agent was started: wrong words, and an agent that ran and could not be observed. */
const NO_REFUSAL: ReadonlySet<ErrorCode> = new Set(["USAGE", "VERIFY_FAILED"]);

/** The same error with exit code 3: on a launch path every failure means that the agent was not started. */
export function asRefusal(error: unknown): unknown {
  if (!(error instanceof AppError) || NO_REFUSAL.has(error.code)) return error;
  if (error.exitCode === ExitCode.refused) return error;
  return copyOf(error, error.message, ExitCode.refused);
}

/** The same error, saying which variable or file named the thing. */
export function withNamer(error: AppError, namer: string): AppError {
  return copyOf(error, `${error.message} (named by ${namer})`, error.exitCode);
}

function copyOf(error: AppError, message: string, exitCode: number): AppError {
  const { code, hint, cause, stack } = error;
  const copy = new AppError(code, message, { hint, exitCode, cause });
  if (stack !== undefined) copy.stack = stack;
  return copy;
}
