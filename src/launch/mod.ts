/** Launching an agent: resolve, open, plan, perform. */
export { codexRequest, findCodex } from "./codex_plan.ts";
export { environmentOf } from "./exposed.ts";
export { execInEnv } from "./exec.ts";
export { explainPlan, protectionLines } from "./explain.ts";
export {
  type PerformContext,
  performLaunch,
  prepareLaunch,
} from "./perform.ts";
export { findClaude, INSTALL_CLAUDE, planLaunch } from "./plan.ts";
export { isInside } from "./inside.ts";
export { findPresetHosts, planSandbox, probeSandbox } from "./sandbox.ts";
export type { ProbeReport } from "./sandbox_probe.ts";
export type { PlannedPolicy, SandboxRequest } from "./sandbox_policy.ts";
export {
  becomeByFile,
  confinedWords,
  prepareConfined,
} from "./sandbox_child.ts";
export {
  type ConfinedPlan,
  needsSupervisor,
  ObservedSandbox,
} from "./sandbox_observe.ts";
export { settleSessions } from "./sandbox_settle.ts";
export { serveLaunch } from "./serve.ts";
export type { RunningServices } from "./service_run.ts";
export { isBeside, staysBeside } from "./services.ts";
export { launchClaude } from "./shim.ts";
export {
  installTyped,
  type TypedInput,
  type TypedPlace,
  type TypedResult,
} from "./trust_install.ts";
export {
  grantTrust,
  listTrust,
  requireTrust,
  revokeTrust,
  type TrustRow,
  type TrustView,
  viewTrust,
} from "./trust.ts";
export { SettledCache } from "./settled_cache.ts";
export { settledTyped } from "./trust_settled.ts";
export { trustsSettings } from "./trust_check.ts";
export type { LaunchPlan, PlannedSandbox } from "./types.ts";
