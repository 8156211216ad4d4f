/** Launches that came to nothing, in the audit log. */
import { AuditLog } from "../audit/mod.ts";
import { AppError, ExitCode } from "../base/errors.ts";
import { hostDirs } from "../env/mod.ts";
import { lstat } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { isInside } from "./inside.ts";

/** Writes down why an agent was not started. What is wrong with the log, or the home, is not said: the reason itself is. */
export function auditRefusal(
  error: unknown,
  host: Host,
  label: string | undefined,
): void {
  const isRefusal = error instanceof AppError &&
    error.exitCode === ExitCode.refused;
  if (!isRefusal || isInside(host)) return;
  try {
    const dirs = hostDirs(host);
    // A home that is not there is not made for this.
    if (lstat(dirs.root) === undefined) return;
    const why = error.message;
    const event = { event: "launch-refused", code: error.code, why } as const;
    new AuditLog(dirs.audit).add(event, { env: label });
  } catch (problem) {
    if (!(problem instanceof AppError)) throw problem;
  }
}
