/** Environments: finding, opening, making and changing them. */
export { type ActiveEnv, activeEnv, hostDirs } from "./active.ts";
export { type Config, readConfig } from "./config.ts";
export { notFound, openEnv, openNamed, projectSlotName } from "./open.ts";
export { beginRun, endRun, liveRuns, type Run, runDirFor } from "./runs.ts";
export { refFromOption, resolveEnv } from "./resolve.ts";
export type {
  EnvRef,
  GlobalEnv,
  OpenEnv,
  Resolution,
  ResolutionStep,
} from "./types.ts";
