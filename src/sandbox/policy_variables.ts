/** Variables that point tools to what they may use. */
import { type AbsPath, join } from "../base/paths.ts";

import { isIn } from "./path_text.ts";
/** Caches that tools keep below HOME: variable → directory below our cache, and where it is without the variable, below HOME. */
const CACHES: readonly (readonly [string, string, string])[] = [
  ["XDG_CACHE_HOME", ".", ".cache"],
  ["npm_config_cache", "npm", ".npm"],
  ["YARN_CACHE_FOLDER", "yarn", ".cache/yarn"],
  ["BUN_INSTALL_CACHE_DIR", "bun", ".bun/install/cache"],
  ["DENO_DIR", "deno", ".cache/deno"],
  ["GOCACHE", "go-build", ".cache/go-build"],
  ["GOMODCACHE", "go-mod", "go/pkg/mod"],
  ["PIP_CACHE_DIR", "pip", ".cache/pip"],
  ["UV_CACHE_DIR", "uv", ".cache/uv"],
];

/** The variables that the policy needs set: the temporary directory, and caches where the user's own are not granted. */
export function variablesToSet(
  home: AbsPath | undefined,
  { tmpDir, cacheDir, writable, lacksGitConfig }: {
    readonly tmpDir: AbsPath;
    readonly cacheDir: AbsPath;
    readonly writable: readonly AbsPath[];
    /** Whether a git configuration below HOME is not granted. */
    readonly lacksGitConfig: boolean;
  },
): Record<string, string> {
  const caches = CACHES.filter(([, , usual]) => {
    if (home === undefined) return true;
    const own = join(home, usual);
    // A grant of the user's own cache, or of a part of it, is meant to be used.
    return !writable.some((grant) => isIn(own, grant) || isIn(grant, own));
  });
  return {
    TMPDIR: tmpDir,
    TMP: tmpDir,
    TEMP: tmpDir,
    ...Object.fromEntries(
      caches.map(([name, dir]) => [name, join(cacheDir, dir)]),
    ),
    ...(lacksGitConfig ? { GIT_CONFIG_GLOBAL: "/dev/null" } : {}),
  };
}
