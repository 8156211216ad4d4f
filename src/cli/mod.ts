/** The command line of `aenv`. */
import { ExitCode } from "../base/errors.ts";
import { realHost } from "../os/host.ts";
import { print } from "./printer.ts";
import { reportError } from "./report_error.ts";
import { route } from "./router.ts";

/** Runs one command line and returns its exit code. */
export async function runCli(args: readonly string[]): Promise<number> {
  try {
    const routed = await route(args, realHost());
    print(routed);
    return routed.outcome.exitCode ?? ExitCode.ok;
  } catch (error) {
    return reportError(error);
  }
}
