/** The caller's own arguments for the agent: those that would undo the isolation are taken over or refused. */
import { AppError, ExitCode } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";

/** What the caller typed, taken apart. */
export interface UserArgs {
  /** Arguments to pass on, in order, without those taken over. */
  readonly rest: readonly string[];
  /** Values of `--settings`, files or JSON, in order. */
  readonly settings: readonly string[];
  /** The sources of `--setting-sources`; undefined when it was not given. */
  readonly sources: readonly string[] | undefined;
  /** The agent only prints a text: no session, nothing to isolate. */
  readonly informational: boolean;
  /** `-p`: nobody is there to answer a question. */
  readonly printMode: boolean;
}

const TAKEN = new Set(["--settings", "--setting-sources"]);
const INFORMATIONAL = new Set(["--version", "-v", "--help", "-h"]);

/** Takes the arguments apart. Throws `USAGE` for an option without its value. */
export function parseUserArgs(args: readonly string[]): UserArgs {
  const rest: string[] = [];
  const settings: string[] = [];
  let sources: string[] | undefined;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      rest.push(...args.slice(i));
      break;
    }
    const [name, inline] = splitOption(arg);
    if (!TAKEN.has(name)) {
      rest.push(arg);
      continue;
    }
    const value = inline ?? args[++i];
    if (value === undefined) throw missingValue(name);
    if (name === "--settings") settings.push(value);
    else {sources = value.split(",").map((source) => source.trim()).filter((
        source,
      ) => source !== ""
      );}
  }
  return {
    rest,
    settings,
    sources,
    informational: args.length === 1 && INFORMATIONAL.has(args[0]!),
    printMode: rest.some((arg) => arg === "-p" || arg === "--print"),
  };
}

function splitOption(arg: string): [string, string | undefined] {
  const cut = arg.startsWith("--") ? arg.indexOf("=") : -1;
  return cut < 0 ? [arg, undefined] : [arg.slice(0, cut), arg.slice(cut + 1)];
}

function missingValue(name: string): AppError {
  return new AppError(
    "ARGUMENT_REFUSED",
    `Cannot pass ${quote(name)} to claude: its value is missing`,
    {
      exitCode: ExitCode.refused,
    },
  );
}

/** The setting sources to use: ours, narrowed by the caller's; a caller cannot widen them. */
export function narrowSources(
  ours: readonly string[],
  callers: readonly string[] | undefined,
): string[] {
  return callers === undefined
    ? [...ours]
    : ours.filter((source) => callers.includes(source));
}
