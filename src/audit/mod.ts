/** The audit log: what was done and refused, written down where no confined process reaches. */
export type { AuditEvent, EventName, Subject } from "./event.ts";
export { AuditLog, type LogLimits } from "./log.ts";
export { noteLaunch } from "./note.ts";
export { Follower, type LogRecord, readNewest } from "./read.ts";
export { SessionLog } from "./session.ts";
export { alignRows, rowOf } from "./show.ts";
export type { Checked } from "./verify.ts";
