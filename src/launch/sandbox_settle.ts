/** Changes of ours to what a sandbox protects. */
import { AppError } from "../base/errors.ts";
import { type ActiveEnv, activeEnv } from "../env/mod.ts";
import { lstat } from "../os/fs.ts";
import type { Host } from "../os/host.ts";

/** Before a command changes an env: what its sessions left is looked at, so that the change is not taken for theirs. */
export async function settleSessions(
  host: Host,
  option: string | undefined,
): Promise<void> {
  const env = activeOrNone(host, option)?.env;
  if (env?.kind !== "env" || lstat(env.slot.protect) === undefined) return;
  const { settleEnded } = await import("../sandbox/mod.ts");
  await settleEnded(env.slot.protect);
}

/** What is wrong with the env is for the command to say. */
function activeOrNone(
  host: Host,
  option: string | undefined,
): ActiveEnv | undefined {
  try {
    return activeEnv(host, option);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return undefined;
  }
}
