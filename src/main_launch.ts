/**
 * The roles that become another program. They are on the way of every launch, so they are one small file in the built
 * program; one for all, since what is built in is read at every start.
 */
import { reportError } from "./cli/report_error.ts";
import { execInEnv } from "./launch/exec.ts";
import { launchClaude } from "./launch/shim.ts";
import { type Host, realHost } from "./os/host.ts";

/** Becomes the real Claude Code; returns the exit code when the agent was not started. */
export async function runClaude(): Promise<number> {
  return await launching((host) => launchClaude(host.args, host));
}

/** Becomes the real Codex; returns the exit code when the agent was not started. */
export async function runCodex(): Promise<number> {
  return await launching(async (host) => {
    const { launchCodex } = await import("./launch/codex_shim.ts");
    return await launchCodex(host.args, host);
  });
}

/** `aenv exec -- COMMAND`, as scripts start programs; returns the exit code when the command was not started. */
export async function runExec(command: readonly string[]): Promise<number> {
  return await launching((host) => execInEnv(command, host));
}

async function launching(
  launch: (host: Host) => Promise<number>,
): Promise<number> {
  try {
    return await launch(realHost());
  } catch (error) {
    return reportError(error);
  }
}
