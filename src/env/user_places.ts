/** Where the user's own Claude Code configuration is, seen from outside of any launch. */
import { claude } from "../agents/mod.ts";
import type { Dirs } from "../base/dirs.ts";
import { Var } from "../base/env_vars.ts";
import { AppError } from "../base/errors.ts";
import type { AbsPath } from "../base/paths.ts";
import type { Host } from "../os/host.ts";

const CONFIG_DIR = "CLAUDE_CONFIG_DIR";

/** The user's own configuration; inside a session as well, where `$CLAUDE_CONFIG_DIR` is the env's. Throws `HOME_UNSET`. */
export function userPlaces(host: Host, dirs: Dirs): claude.UserConfig {
  const env = { ...host.env };
  const before = formerConfigDir(env[Var.restore]);
  if (typeof before === "string") env[CONFIG_DIR] = before;
  else if (before === null) delete env[CONFIG_DIR];
  return claude.userConfig(env, host.home(), dirs.root);
}

/** The home directory; undefined when none is set. */
export function homeOrNone(host: Host): AbsPath | undefined {
  try {
    return host.home();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "HOME_UNSET") {
      throw error;
    }
    return undefined;
  }
}

/** What a launch wrote down: the value that was there, null for none, undefined when it changed nothing. */
function formerConfigDir(text: string | undefined): unknown {
  if (!text) return undefined;
  try {
    return claude.asRecord(JSON.parse(text))[CONFIG_DIR];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
