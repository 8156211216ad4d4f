/** What a confined launch loads, as one file: each more costs half a millisecond. */
export { SandboxDraft } from "./sandbox_plan.ts";
export { ReadySandbox } from "./sandbox_run.ts";
