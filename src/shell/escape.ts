/** Puts foreign text into shell scripts so that no shell interprets it. */
import { AppError, ExitCode } from "../base/errors.ts";
import { quote } from "../base/text.ts";

/** A shell that we write scripts for. */
export type Shell = "bash" | "zsh" | "fish";

/** `text` as one word of a script for `shell`: always quoted, nothing in it is interpreted. */
export function quoteFor(shell: Shell, text: string): string {
  return shell === "fish"
    ? "'" + text.replaceAll("\\", "\\\\").replaceAll("'", "\\'") + "'"
    : "'" + text.replaceAll("'", "'\\''") + "'";
}

/** Like {@link quoteFor}, but left bare where no shell could mind: for lines that people read. */
export function quoteIfNeeded(shell: Shell, text: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(text) ? text : quoteFor(shell, text);
}

/**
 * A path as a script's shell names it: `C:\x` becomes `/c/x`. `what` names it in errors.
 * Throws `SHELL_UNSAFE` when it holds a control character.
 */
export function scriptPath(path: string, what: string): string {
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(path)) {
    refuse(path, what, "it holds a control character");
  }
  const drive = /^([A-Za-z]):[/\\]/.exec(path);
  if (!drive) return path;
  return `/${drive[1]!.toLowerCase()}/` +
    path.slice(3).replaceAll("\\", "/");
}

/** A directory that goes on PATH. Throws `SHELL_UNSAFE` when PATH cannot hold it. */
export function pathEntry(path: string, what: string): string {
  const entry = scriptPath(path, what);
  if (entry.includes(":")) {
    refuse(path, what, "it holds a colon, which separates the parts of PATH");
  }
  return entry;
}

function refuse(path: string, what: string, state: string): never {
  throw new AppError(
    "SHELL_UNSAFE",
    `Cannot use ${quote(path)} as ${what} in a shell: ${state}`,
    {
      hint: "Set AENV_HOME to another directory",
      exitCode: ExitCode.refused,
    },
  );
}
