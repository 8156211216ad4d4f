/** The role `codex`. */
import { reportError } from "./cli/report_error.ts";
import { launchCodex } from "./launch/codex_shim.ts";
import { realHost } from "./os/host.ts";

/** Becomes the real Codex; returns the exit code when the agent was not started. */
export async function runCodex(): Promise<number> {
  try {
    const host = realHost();
    return await launchCodex(host.args, host);
  } catch (error) {
    return reportError(error);
  }
}
