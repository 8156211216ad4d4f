/** The role of who sees to the end of a confined session. */
import { reportError } from "./cli/report_error.ts";
import { runEnded } from "./launch/sandbox_ended.ts";
import { realHost } from "./os/host.ts";

/** Looks at what a session did that has ended; returns the exit code, which nobody sees. */
export async function runSessionEnd(order: string): Promise<number> {
  try {
    await runEnded(order, realHost());
    return 0;
  } catch (error) {
    return reportError(error);
  }
}
