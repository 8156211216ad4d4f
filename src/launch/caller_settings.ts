/** Settings that whoever starts the agent passes to it. */
import { claude } from "../agents/mod.ts";
import { AppError, ExitCode } from "../base/errors.ts";
import { type AbsPath, resolveFrom } from "../base/paths.ts";
import { quote } from "../base/text.ts";

/** The settings of the last `--settings`, as the agent counts them: a JSON text or a file. Throws `ARGUMENT_REFUSED`. */
export function readCallerSettings(
  values: readonly string[],
  cwd: AbsPath,
): Record<string, unknown> {
  const value = values.at(-1);
  if (value === undefined) return {};
  const settings = value.trim().startsWith("{")
    ? parseObject(value)
    : claude.readJsonObject(resolveFrom(cwd, value));
  if (settings !== undefined) return settings;
  throw new AppError(
    "ARGUMENT_REFUSED",
    `Cannot use --settings ${
      quote(value)
    }: it is no JSON object and no file that holds one`,
    {
      exitCode: ExitCode.refused,
    },
  );
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return claude.isRecord(value) ? value : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
