/** What is done before anything is confined. */
import { Var } from "../base/env_vars.ts";
import { type AbsPath, basename } from "../base/paths.ts";
import { runDirFor } from "../env/mod.ts";
import { ensureDir } from "../os/fs.ts";
import { beginProtected, type SandboxPolicy } from "../sandbox/mod.ts";
import { LaunchSession } from "./sandbox_session.ts";
import type { PerformContext } from "./types.ts";

/** Makes the directories of a sandbox, looks at protected files and writes the launch down. Throws `SANDBOX_CHANGED` (exit 3) when those were changed. */
export async function prepareSandbox(
  { policy, project }: {
    readonly policy: Pick<SandboxPolicy, "make" | "protected">;
    /** Root of the project: real path. */
    readonly project: AbsPath;
  },
  { env, host, dirs }: PerformContext,
): Promise<LaunchSession> {
  for (const dir of policy.make) ensureDir(dir);
  const { changes, touched, session } = await beginProtected(
    { dir: env.slot.protect, project },
    policy.protected,
    basename(runDirFor(dirs, host)),
  );
  if (session === undefined) {
    const { changedError } = await import("./sandbox_changed.ts");
    throw changedError(changes, { project });
  }
  if (touched.length > 0 && host.env[Var.quiet] === undefined) {
    const { touchedLine } = await import("./sandbox_changed.ts");
    host.notice(`aenv: ${touchedLine(touched, project)}`);
  }
  return new LaunchSession(session);
}
