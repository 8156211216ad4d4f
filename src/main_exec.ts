/** `aenv exec -- COMMAND`, as scripts start programs. */
import { reportError } from "./cli/report_error.ts";
import { execInEnv } from "./launch/exec.ts";
import { realHost } from "./os/host.ts";

/** Becomes the command; returns the exit code when it was not started. */
export async function runExec(command: readonly string[]): Promise<number> {
  try {
    return await execInEnv(command, realHost());
  } catch (error) {
    return reportError(error);
  }
}
