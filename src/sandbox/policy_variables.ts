/** Variables that point tools to what they may use. */
import { type AbsPath, basename, join, parent } from "../base/paths.ts";

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
  const caches = CACHES.flatMap(([name, dir, usual]) => {
    const at = cacheFor(dir, { usual, home, writable, cacheDir });
    return at === undefined ? [] : [[name, at]];
  });
  return {
    TMPDIR: tmpDir,
    TMP: tmpDir,
    TEMP: tmpDir,
    ...Object.fromEntries(caches),
    ...(lacksGitConfig ? { GIT_CONFIG_GLOBAL: "/dev/null" } : {}),
  };
}

/** Where a tool is to keep its cache: undefined where its usual place is granted, or a part of it. */
function cacheFor(
  dir: string,
  { usual, home, writable, cacheDir }: {
    readonly usual: string;
    readonly home: AbsPath | undefined;
    readonly writable: readonly AbsPath[];
    readonly cacheDir: AbsPath;
  },
): AbsPath | undefined {
  const own = home === undefined ? undefined : join(home, usual);
  const isGranted = own !== undefined &&
    writable.some((grant) => isIn(own, grant) || isIn(grant, own));
  if (isGranted) return undefined;
  // A granted directory of the tool's name, such as ~/.cache/npm, is meant for it.
  return writable.find((grant) =>
    basename(grant) === dir && basename(parent(grant)).endsWith("cache")
  ) ?? join(cacheDir, dir);
}
