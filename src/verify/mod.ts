/** Proving a launch against the real agent: what is declared, and what it sees. */
export { type Attempt, ATTEMPT_COMMAND, tryAll } from "./attempts.ts";
export { renderReport } from "./report.ts";
export type { Kind, Report, Row, Status } from "./types.ts";
export { verifyEnv, type VerifyOptions } from "./verify.ts";
