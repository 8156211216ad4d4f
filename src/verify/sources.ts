/** Where declarations come from. */
import type { claude } from "../agents/mod.ts";
import type { AbsPath } from "../base/paths.ts";
import type { OpenEnv } from "../env/mod.ts";
import type { LaunchPlan } from "../launch/mod.ts";
import type { SettingsFile } from "./settings.ts";

/** What declares, and what the plan made of it. */
export interface Sources {
  readonly env: OpenEnv;
  readonly plan: LaunchPlan;
  readonly project: claude.ProjectFacts;
  readonly loadsProject: boolean;
  readonly settings: readonly SettingsFile[];
  readonly managed: AbsPath;
  readonly home: AbsPath;
}
