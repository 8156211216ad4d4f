/** Errors on their way to people. */
import { AppError, ExitCode } from "../base/errors.ts";
import { BUILD_INFO } from "../base/build_info.ts";
import { redact } from "../base/redact.ts";
import { escapeControl } from "../base/text.ts";
import { isFiltered } from "../os/confined.ts";
import { writeError } from "../os/terminal.ts";

/** Writes `error` to standard error and returns the exit code. An error that is no `AppError` is our bug: 70 and the stack. */
export function reportError(error: unknown): number {
  if (error instanceof AppError) {
    const words = isDenied(error) ? INSIDE : error.hint;
    const hint = words === undefined ? "" : `  ${clean(words)}\n`;
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

const INSIDE =
  "This runs in a sandbox. If it is that of an environment: do it outside";

/** Whether the system refused a file to a process that it holds to filters. */
function isDenied({ code, message }: AppError): boolean {
  return code === "IO" && /denied|not permitted/i.test(message) && isFiltered();
}

function clean(text: string): string {
  return redact(text.split("\n").map(escapeControl).join("\n"));
}
