/** `aenv current`, which prompts and status lines ask: it has no words to parse, so the parser is not loaded. */
import { ExitCode } from "./base/errors.ts";
import { command } from "./cli/commands/current.ts";
import { print } from "./cli/printer.ts";
import { reportError } from "./cli/report_error.ts";
import { realHost } from "./os/host.ts";

/** Prints the active env's name and returns the exit code. */
export async function runCurrent(): Promise<number> {
  try {
    const input = { args: [], options: {} };
    const outcome = await command.run(input, realHost(), { table: [] });
    print({ outcome, json: false });
    return ExitCode.ok;
  } catch (error) {
    return reportError(error);
  }
}
