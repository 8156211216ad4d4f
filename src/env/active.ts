/** The env that a command works on. */
import { aenvRoot, type Dirs, dirsAt } from "../base/dirs.ts";
import { AppError, withNamer } from "../base/errors.ts";
import type { Host } from "../os/host.ts";
import { openEnv } from "./open.ts";
import { refFromOption, resolveEnv } from "./resolve.ts";
import type { GlobalEnv, OpenEnv, Resolution } from "./types.ts";

/** Our directories for this host. */
export function hostDirs(host: Host): Dirs {
  return dirsAt(aenvRoot(host.env, () => host.home()));
}

/** An opened env and how it was found. */
export interface ActiveEnv {
  readonly env: OpenEnv | GlobalEnv;
  readonly resolution: Resolution;
  readonly dirs: Dirs;
}

/** Resolves (by `-E`'s value where given) and opens. Throws what {@link resolveEnv} and {@link openEnv} throw. */
export function activeEnv(host: Host, option?: string): ActiveEnv {
  const dirs = hostDirs(host);
  const resolution = option === undefined
    ? resolveEnv(host, dirs)
    : optionResolution(option, host, dirs);
  return { env: openResolved(resolution, host, dirs), resolution, dirs };
}

/** Opens; when there is nothing of that name, the error says what named it. */
function openResolved(
  { ref, file, source }: Resolution,
  host: Host,
  dirs: Dirs,
): OpenEnv | GlobalEnv {
  try {
    return openEnv(ref, host, dirs);
  } catch (error) {
    const isMissing = error instanceof AppError && ref.kind === "named" &&
      (error.code === "ENV_NOT_FOUND" || error.code === "ENV_BROKEN");
    if (!isMissing || source === "--env") throw error;
    throw withNamer(error, file ?? `$${source}`);
  }
}

function optionResolution(option: string, host: Host, dirs: Dirs): Resolution {
  const ref = refFromOption(option, host, dirs);
  const step = {
    source: "--env",
    looked: "-E",
    result: `matched: ${option}`,
    matched: true,
  } as const;
  return { ref, source: "--env", file: undefined, steps: [step] };
}

/** The env, which must not be `global`; `action` is what was about to be done. Throws `ENV_RESERVED`. */
export function requireNamed(
  env: OpenEnv | GlobalEnv,
  action: string,
): OpenEnv {
  if (env.kind === "env") return env;
  throw new AppError(
    "ENV_RESERVED",
    `Cannot ${action} "global": it is your own configuration and has no manifest`,
    { hint: `Name an environment: -E NAME` },
  );
}
