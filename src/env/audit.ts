/** What commands write into the audit log. */
import type { AuditEvent } from "../audit/mod.ts";
import type { Dirs } from "../base/dirs.ts";

/** Adds an event of the env with this label, or of none. Throws `IO`. */
export async function auditEvent(
  event: AuditEvent,
  { dirs, env }: { readonly dirs: Dirs; readonly env?: string | undefined },
): Promise<void> {
  // Most commands write nothing down and do not load this.
  const { AuditLog } = await import("../audit/mod.ts");
  new AuditLog(dirs.audit).add(event, { env });
}
