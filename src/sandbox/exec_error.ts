/** What can be said of an enforcement before it is planned. */
import type { KernelFacts } from "./exec_types.ts";
import { LANDLOCK_FLOOR } from "./landlock.ts";
import type { SandboxPolicy } from "./types.ts";

export { NO_LANDLOCK, UNCONFINED_HINT, unenforced } from "./unenforced.ts";

/** What makes a supervisor necessary; undefined when the launcher can become the program. For people. */
export function supervisorReason(
  policy: SandboxPolicy,
  kernel: KernelFacts,
): string | undefined {
  if (policy.network.mode === "hosts") {
    return "the network is filtered by host";
  }
  if (
    policy.unixSockets.length > 0 &&
    kernel.landlockAbi < LANDLOCK_FLOOR.resolveUnix
  ) return "Unix sockets are granted";
  return kernel.landlockAbi < LANDLOCK_FLOOR.scopes
    ? "the kernel does not keep signals inside"
    : undefined;
}
