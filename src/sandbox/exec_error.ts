/** What can be said of an enforcement before it is planned. */
import { AppError, ExitCode } from "../base/errors.ts";
import type { KernelFacts } from "./exec_types.ts";
import { LANDLOCK_FLOOR } from "./landlock.ts";
import type { SandboxPolicy } from "./types.ts";

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

/** What is wrong with a kernel that confines nothing. */
export const NO_LANDLOCK =
  "this kernel has no Landlock, or has it switched off";

/** What can be typed where nothing can be confined. */
export const UNCONFINED_HINT =
  "Start the agent unconfined: aenv run --no-sandbox; for good: enabled = false under [sandbox]";

/** The error for a policy that this system does not hold a program to. */
export function unenforced(state: string, cause?: unknown): AppError {
  return new AppError(
    "SANDBOX_UNENFORCED",
    `Cannot enforce the sandbox: ${state}`,
    {
      hint: state === NO_LANDLOCK
        ? UNCONFINED_HINT
        : "See what this system enforces: aenv sandbox probe",
      exitCode: ExitCode.refused,
      cause,
    },
  );
}
