/** Whether this process is in a sandbox of ours. */
import { Var } from "../base/env_vars.ts";
import { isFiltered } from "../os/confined.ts";
import type { Host } from "../os/host.ts";

/**
 * Whether a launch of ours confines this process. Not by the variable alone, which anybody can set. Whoever takes it away
 * gains nothing: what is refused here fails then where it is tried.
 */
export function isInside({ env, os }: Host): boolean {
  if (env[Var.sandbox] === undefined) return false;
  return os === "linux" ? isFiltered() : true;
}
