/** Codex's own directory in an env (`CODEX_HOME`). Measured on 0.169.0. */
import { type AbsPath, join } from "../../base/paths.ts";
import { readDir } from "../../os/fs.ts";

/** The variable that names the directory; Codex stops when that is not there. */
export const HOME_VARIABLE = "CODEX_HOME";
/** Settings, written anew before each launch: Codex changes the file by itself. */
export const CONFIG_FILE = "config.toml";

/** A place inside that must stay as it is. */
export interface SteeringPlace {
  readonly path: AbsPath;
  /** Whether everything below it counts as well. */
  readonly tree: boolean;
}

/** Parts that steer the next session. Not {@link CONFIG_FILE}: what a session wrote there is gone before the next one. */
const STEERING: readonly (readonly [string, boolean])[] = [
  [".env", false],
  ["AGENTS.md", false],
  ["AGENTS.override.md", false],
  ["agents", true],
  ["environments.toml", false],
  ["hooks.json", false],
  ["plugins", true],
  ["prompts", true],
  ["rules", true],
  ["skills", true],
];

/** Profiles: `codex -p NAME`. More than these have no meaning for people. */
const PROFILE = /^[\w.-]+\.config\.toml$/;
const MAX_PROFILES = 50;

/** What in an env's directory would change what runs next time; also what is not there yet. */
export function steeringPlaces(dir: AbsPath): SteeringPlace[] {
  const profiles = (readDir(dir) ?? []).filter(({ name }) => PROFILE.test(name))
    .slice(0, MAX_PROFILES).map(({ name }) => ({
      path: join(dir, name),
      tree: false,
    }));
  const fixed = STEERING.map(([name, tree]) => ({
    path: join(dir, name),
    tree,
  }));
  return [...fixed, ...profiles];
}

/**
 * What Codex can fetch or make anew, and would obey: the instructions of its models. Removed before each launch, so that no
 * session writes them for the next one.
 */
export const REMADE: readonly string[] = ["models_cache.json"];
