/** The agents: what is particular to each. */
export { findAgent, type FindOptions } from "./find.ts";
export { agentVersion, compatProblem } from "./version.ts";
export * as claude from "./claude/mod.ts";
export * as codex from "./codex/mod.ts";
export * as foreign from "./foreign/mod.ts";
