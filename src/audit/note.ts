/** The one event of a launch that leaves nothing of ours behind: in the way of its start, so it is written without a hash. */
import { type AbsPath, join } from "../base/paths.ts";
import { epochMs } from "../os/clock.ts";
import { addToEnd } from "../os/log_file.ts";
import { entryOf, LOG_FILE, plainText } from "./entry.ts";
import type { AuditEvent, Subject } from "./event.ts";

/** Adds an event to the log in a directory without looking at what is there; the next line of the chain covers it. Throws `IO`. */
export function noteLaunch(
  dir: AbsPath,
  event: AuditEvent & { readonly event: "launch-begin" },
  subject: Subject,
): void {
  addToEnd(join(dir, LOG_FILE), plainText(entryOf(event, subject, epochMs())));
}
