/** Errors on their way to people. */
import { AppError, ExitCode } from "../base/errors.ts";
import { BUILD_INFO } from "../base/build_info.ts";
import { redact } from "../base/redact.ts";
import { escapeControl } from "../base/text.ts";
import { writeError } from "../os/terminal.ts";

/** Writes `error` to standard error and returns the exit code. An error that is no `AppError` is our bug: 70 and the stack. */
export function reportError(error: unknown): number {
  if (error instanceof AppError) {
    const hint = error.hint === undefined ? "" : `  ${clean(error.hint)}\n`;
    writeError(`aenv: ${clean(error.message)}\n${hint}`);
    return error.exitCode;
  }
  const stack = error instanceof Error
    ? error.stack ?? error.message
    : String(error);
  writeError(
    redact(
      `aenv: this is a bug in aenv ${BUILD_INFO.version} (${BUILD_INFO.commit})\n${stack}\n`,
    ) +
      "  Please report it with the lines above\n",
  );
  return ExitCode.bug;
}

function clean(text: string): string {
  return redact(text.split("\n").map(escapeControl).join("\n"));
}
