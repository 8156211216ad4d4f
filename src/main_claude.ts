/** The role `claude`: on the way of every launch, so it is one small file in the built program. */
import { reportError } from "./cli/report_error.ts";
import { launchClaude } from "./launch/shim.ts";
import { realHost } from "./os/host.ts";

/** Becomes the real Claude Code; returns the exit code when the agent was not started. */
export async function runClaude(): Promise<number> {
  try {
    const host = realHost();
    return await launchClaude(host.args, host);
  } catch (error) {
    return reportError(error);
  }
}
