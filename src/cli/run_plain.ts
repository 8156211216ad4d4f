/** A command without a word to parse, for the roles of the program that do without the parser. */
import { ExitCode } from "../base/errors.ts";
import { realHost } from "../os/host.ts";
import type { Command } from "./command.ts";
import { print } from "./printer.ts";
import { reportError } from "./report_error.ts";

/** Runs it, prints what it says, and returns the exit code. */
export async function runPlain(command: Command): Promise<number> {
  try {
    const input = { args: [], options: {} };
    const outcome = await command.run(input, realHost(), { table: [] });
    print({ outcome, json: false });
    return outcome.exitCode ?? ExitCode.ok;
  } catch (error) {
    return reportError(error);
  }
}
