/** Environments: finding, opening, making and changing them. */
export { auditEvent } from "./audit.ts";
export { settledInstall } from "./install_settled.ts";
export {
  KeyNames,
  type MovedCredential,
  performAddition,
  plainCredentials,
  planAddition,
  referredKeys,
  takenKeys,
} from "./add_mcp.ts";
export { type ActiveEnv, activeEnv, hostDirs, requireNamed } from "./active.ts";
export type { LeftOut } from "./clone/mod.ts";
export { type Config, readConfig } from "./config.ts";
export { createEnv } from "./create.ts";
export { claudeShim, initHome, type InitResult } from "./init.ts";
export {
  importServers,
  requireImportable,
  selectServers,
} from "./import_mcp.ts";
export {
  type ChangedValue,
  type DeclaredDifference,
  diffEnv,
  type DiskDifference,
  type EnvDiff,
} from "./diff.ts";
export { initHere } from "./init_here.ts";
export { listEnvs, type ListRow } from "./list.ts";
export { shimPath } from "./shims.ts";
export {
  type InstalledItem,
  installEnv,
  type InstallInput,
  type InstallNext,
  type InstallResult,
} from "./install.ts";
export type { InstallPlace, NetworkUse } from "./install_fetch.ts";
export {
  describeDifference,
  lockedItem,
  lockPath,
  readAgreedLock,
  readLock,
} from "./lock_file.ts";
export { notFound, openEnv, openNamed, projectSlotName } from "./open.ts";
export { findOutdated, type OutdatedRow } from "./outdated.ts";
export {
  isSharedPlace,
  maySharePlaces,
  type PlacedItem,
  placedItems,
  placeName,
  SKILLS_PLUGIN,
  skillsPluginAt,
} from "./place_names.ts";
export { compareAround, mendAround, writeSkillsManifest } from "./place.ts";
export { registerProject } from "./register.ts";
export { type Pointer, programOf } from "./pointers.ts";
export {
  findLogin,
  type LoginPlaces,
  shareLogin,
  unshareLogin,
} from "./login.ts";
export { removeEnv } from "./remove.ts";
export { renameEnv } from "./rename.ts";
export {
  beginRun,
  endRun,
  liveRuns,
  nameAgent,
  type Run,
  runDirFor,
} from "./runs.ts";
export { refFromOption, resolveEnv } from "./resolve.ts";
export {
  envHistory,
  pruneHistory,
  recoverHome,
  rollbackChange,
} from "./rollback.ts";
export { transact } from "./slots.ts";
export {
  keepSecret,
  listSecrets,
  openEnvSecrets,
  removeSecret,
  requireSecret,
  secretFacts,
  type SecretPlace,
  type SecretUse,
  secretUses,
  serverSecrets,
} from "./secrets.ts";
export { checkStore, collectStore, measureStore } from "./store_care.ts";
export { type SyncedItem, syncEnv, type SyncResult } from "./sync.ts";
export { type SlotSecrets, slotSecrets } from "./slot_secrets.ts";
export { envStatus, type Status } from "./status.ts";
export { homeOrNone } from "./user_places.ts";
export { useEnv, type UseResult, useTarget } from "./use.ts";
export type {
  EnvRef,
  GlobalEnv,
  OpenEnv,
  Resolution,
  ResolutionStep,
} from "./types.ts";
