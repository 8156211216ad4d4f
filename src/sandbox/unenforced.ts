/** The error for what this system does not enforce. */
import { AppError, ExitCode } from "../base/errors.ts";

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
