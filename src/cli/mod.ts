/** The command line of `aenv`. */
import { ExitCode } from "../base/errors.ts";
import type { Host } from "../os/host.ts";
import { print } from "./printer.ts";
import { reportError } from "./report_error.ts";
import { route } from "./router.ts";

export { reportError };

/** Runs one command line and returns its exit code. */
export async function runCli(
  args: readonly string[],
  host: Host,
): Promise<number> {
  try {
    const routed = await route(args, host);
    print(routed);
    return routed.outcome.exitCode ?? ExitCode.ok;
  } catch (error) {
    return reportError(error);
  }
}
