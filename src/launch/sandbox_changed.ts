/** What is said of protected files that were changed. */
import { AppError, ExitCode } from "../base/errors.ts";
import { type AbsPath, isWithin } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import type { Change } from "../sandbox/mod.ts";

/** How many changed files a message names. */
const NAMED = 3;

/** Names of changed files, for a message; what lies below another one is left out. */
export function changedNames(
  changes: readonly Pick<Change, "path">[],
  project: AbsPath,
): string {
  const paths = changes.map(({ path }) => path);
  const upper = paths.filter((path) =>
    !paths.some((other) => other !== path && isWithin(path, other))
  );
  const names = upper.slice(0, NAMED).map((path) =>
    quote(
      path.startsWith(`${project}/`) ? path.slice(project.length + 1) : path,
    )
  );
  const more = upper.length - names.length;
  return [...names, ...(more > 0 ? [`${more} more`] : [])].join(", ");
}

/** What is said of protected files that were changed and put back. */
export function touchedLine(
  touched: readonly AbsPath[],
  project: AbsPath,
): string {
  const names = changedNames(touched.map((path) => ({ path })), project);
  return `protected files were changed in a session and put back: ${names}`;
}

/** The error for a launch that cannot go on because of them (exit 3). */
export function changedError(
  changes: readonly Change[],
  { project }: { readonly project: AbsPath },
): AppError {
  return new AppError(
    "SANDBOX_CHANGED",
    `Cannot start in ${
      quote(project)
    }: protected files were changed since the last session began: ${
      changedNames(changes, project)
    }`,
    {
      hint: "Look at them: aenv sandbox review; then --accept or --revert",
      exitCode: ExitCode.refused,
    },
  );
}
