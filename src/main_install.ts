/** `aenv install` with nothing to do, which is how it is called most often: no words to parse, no source to ask, nothing to lock. */
import { AppError, ExitCode } from "./base/errors.ts";
import { settledOutcome } from "./cli/install_settled.ts";
import { print } from "./cli/printer.ts";
import { realHost } from "./os/host.ts";

/** Returns the exit code; undefined when there is more to do, or something is wrong, which is for the command to say. */
export function runSettledInstall(): number | undefined {
  try {
    const outcome = settledOutcome(undefined, realHost());
    if (outcome === undefined) return undefined;
    print({ outcome, json: false });
    return ExitCode.ok;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return undefined;
  }
}
