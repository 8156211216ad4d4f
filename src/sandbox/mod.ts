/** The sandbox: what a launch may do, and how the system holds it to that. */
export { filterVariables, passingVariables } from "./env_filter.ts";
export {
  ACCESS_WORDS,
  decideHost,
  decidePath,
  decideSocket,
  type HostAnswer,
  type IsHeld,
  type PathAnswer,
  type SocketAnswer,
} from "./explain.ts";
export {
  heldHere,
  lookAtPath,
  parseHostQuestion,
  reachesOwnSockets,
  type UserProxy,
  userProxyFor,
} from "./explain_host.ts";
export { becomeConfined } from "./exec_become.ts";
export {
  type ChildOptions,
  type ConfinedChild,
  startConfined,
} from "./exec.ts";
export { supervisorReason, UNCONFINED_HINT, unenforced } from "./exec_error.ts";
export { readSupervisorFacts } from "./exec_facts.ts";
export { planEnforcement } from "./exec_plan.ts";
export type {
  Enforcement,
  KernelFacts,
  Protection,
  SupervisorFacts,
} from "./exec_types.ts";
export { filterProgram } from "./exec_steps.ts";
export { readHostFacts } from "./host_facts.ts";
export { noSandbox, readKernelFacts } from "./kernel_facts.ts";
export { mediate } from "./mediate.ts";
export type { Asked } from "./mediate_connect.ts";
export type { ProxyEvent } from "./network/events.ts";
export { type PackageQuery, packageUrls } from "./network/package_hosts.ts";
export {
  type PackagePreset,
  packagePresets,
  type PresetHosts,
} from "./network/presets.ts";
export { type RunningProxy, startProxy } from "./network/proxy.ts";
export type { ProxyOptions } from "./network/proxy_options.ts";
export { type NetworkRules, parseRules } from "./network/rules.ts";
export { buildPolicy } from "./policy.ts";
export {
  type MadePolicy,
  type MemoPlace,
  type ReadyEnforcement,
  readyEnforcement,
  rememberPolicy,
} from "./policy_memo.ts";
export { makePolicy } from "./policy_make.ts";
export { checkLine, type LineAnswer } from "./policy_check.ts";
export type {
  Guarded,
  HostFacts,
  Place,
  PolicyInput,
  SandboxWishes,
  SocketWish,
} from "./policy_input.ts";
export { becomeQuickly } from "./quick_become.ts";
export { type QuickLaunch, type QuickPlace, recallLaunch } from "./quick.ts";
export { type LaunchFacts, rememberLaunch } from "./quick_make.ts";
export { rememberVariables } from "./env_memory_make.ts";
export { recordFiles } from "./looks.ts";
export { CERTIFICATE_VARIABLES } from "./policy_system_names.ts";
export { checkProbed, probe, type Probed, probeKey } from "./probe.ts";
export type { Change } from "./protect.ts";
export { beginProtected, type Begun } from "./protect_begin.ts";
export {
  acceptChanges,
  type Ended,
  endProtected,
  type ProtectState,
  protectStates,
  settleEnded,
} from "./protect_record.ts";
export { type BegunSession, sessionName } from "./protect_open.ts";
export { noteGoingOn } from "./protect_sessions.ts";
export type { ProtectPlace } from "./protect_store.ts";
export { revertChanges, type Reverted } from "./protect_revert.ts";
export {
  seatbeltCommand,
  type SeatbeltProfile,
  seatbeltProfile,
} from "./seatbelt.ts";
export { socketRisk } from "./socket_risk.ts";
export {
  type Access,
  type AgentPart,
  type HostGrant,
  type LeftOut,
  type NetworkPolicy,
  type Operation,
  type PathGrant,
  type PortGrant,
  type ProtectedPath,
  type Reason,
  type ReasonSource,
  RIGHTS,
  type SandboxPolicy,
  type SealedPath,
  type SocketGrant,
  type VariableDecision,
} from "./types.ts";
