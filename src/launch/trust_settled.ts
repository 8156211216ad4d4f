/** `install` where there is nothing to do. */
import type { Dirs } from "../base/dirs.ts";
import { type OpenEnv, settledInstall } from "../env/mod.ts";
import type { TypedResult } from "./trust_install.ts";
import { manifestTrust } from "./trust_needed.ts";

/** What `installTyped` would return for an install that has nothing to fetch and nothing to write; undefined when it may have. */
export function settledTyped(
  env: OpenEnv,
  dirs: Dirs,
): TypedResult | undefined {
  const settled = settledInstall(env, dirs);
  if (settled === undefined) return undefined;
  return { ...settled, trust: manifestTrust(env, dirs), differences: [] };
}
