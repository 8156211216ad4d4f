/** `status`: what the active env declares and where it lives. */
import type { Host } from "../os/host.ts";
import { activeEnv } from "./active.ts";
import { liveRuns, type Run } from "./runs.ts";
import type { ResolutionSource } from "./types.ts";
import { userPlaces } from "./user_places.ts";

/** The state of one env. Null where `global` has no such thing. */
export interface Status {
  readonly env: string;
  readonly scope: "global" | "named" | "project";
  /** Its directory; may not exist before the first launch. */
  readonly slot: string | null;
  readonly manifest: string | null;
  readonly isolation: "private" | "overlay" | null;
  readonly projectConfig: "load" | "ignore" | null;
  /** Whether its agent is confined. */
  readonly sandbox: boolean;
  /** The agent's configuration directory. */
  readonly configDir: string;
  readonly plugins: readonly string[];
  readonly skills: readonly string[];
  readonly mcp: readonly string[];
  /** Names only. */
  readonly vars: readonly string[];
  readonly running: readonly Pick<Run, "pid" | "agent" | "cwd">[];
  readonly activeBy: ResolutionSource;
  /** The file that decided. */
  readonly file: string | null;
}

/** The status of the env that is active, or that `option` names. Throws what opening it throws. */
export function envStatus(option: string | undefined, host: Host): Status {
  const { env, resolution, dirs } = activeEnv(host, option);
  const common = {
    env: env.label,
    activeBy: resolution.source,
    file: resolution.file ?? null,
  };
  if (env.kind === "global") {
    return {
      ...common,
      scope: "global",
      slot: null,
      manifest: null,
      isolation: null,
      projectConfig: null,
      sandbox: false,
      configDir: userPlaces(host, dirs).dir,
      plugins: [],
      skills: [],
      mcp: [],
      vars: [],
      running: [],
    };
  }
  const { manifest, slot } = env;
  return {
    ...common,
    scope: env.scope,
    slot: slot.root,
    manifest: env.manifestPath,
    isolation: manifest.isolation,
    projectConfig: manifest.projectConfig,
    sandbox: manifest.sandbox?.enabled === true,
    configDir: manifest.isolation === "private"
      ? slot.claude
      : userPlaces(host, dirs).dir,
    plugins: manifest.plugins.map((entry) => entry.name),
    skills: manifest.skills.map((entry) => entry.name),
    mcp: Object.keys(manifest.mcp),
    vars: Object.keys(manifest.vars),
    running: liveRuns(dirs).filter((run) => run.slotName === env.slotName)
      .map(({ pid, agent, cwd }) => ({ pid, agent, cwd })),
  };
}
