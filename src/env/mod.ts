/** Environments: finding, opening, making and changing them. */
export { type ActiveEnv, activeEnv, hostDirs, requireNamed } from "./active.ts";
export type { LeftOut } from "./clone/mod.ts";
export { type Config, readConfig } from "./config.ts";
export { createEnv } from "./create.ts";
export { claudeShim, initHome, type InitResult } from "./init.ts";
export { initHere } from "./init_here.ts";
export { listEnvs, type ListRow } from "./list.ts";
export { shimPath } from "./shims.ts";
export {
  type InstalledItem,
  installEnv,
  type InstallInput,
  type InstallResult,
} from "./install.ts";
export {
  describeDifference,
  lockedItem,
  lockPath,
  readAgreedLock,
  readLock,
} from "./lock_file.ts";
export { localSourcePath } from "./local_source.ts";
export { notFound, openEnv, openNamed, projectSlotName } from "./open.ts";
export { type Pointer, programOf } from "./pointers.ts";
export { removeEnv } from "./remove.ts";
export { renameEnv } from "./rename.ts";
export { beginRun, endRun, liveRuns, type Run, runDirFor } from "./runs.ts";
export { refFromOption, resolveEnv } from "./resolve.ts";
export {
  envHistory,
  pruneHistory,
  recoverHome,
  rollbackChange,
} from "./rollback.ts";
export { transact } from "./slots.ts";
export { openEnvSecrets, secretFacts } from "./secrets.ts";
export { envStatus, type Status } from "./status.ts";
export { useEnv, type UseResult, useTarget } from "./use.ts";
export type {
  EnvRef,
  GlobalEnv,
  OpenEnv,
  Resolution,
  ResolutionStep,
} from "./types.ts";
