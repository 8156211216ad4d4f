/** From words to a command: registers only the verb that was typed. */
import {
  Command as Commander,
  CommanderError,
  Option as CommanderOption,
} from "commander";
import { AppError, ExitCode } from "../base/errors.ts";
import { BUILD_INFO } from "../base/build_info.ts";
import { didYouMean, quote } from "../base/text.ts";
import { isInside, settleSessions } from "../launch/mod.ts";
import type { Host } from "../os/host.ts";
import {
  type Command,
  type Input,
  type Outcome,
  type TableRow,
  textOption,
} from "./command.ts";
import { groupHelpText, helpText } from "./help.ts";
import { TABLE } from "./table.ts";

/** The outcome of a command line, and whether it is to be printed as JSON. */
export interface Routed {
  readonly outcome: Outcome;
  readonly json: boolean;
}

/** Parses `args` and runs the verb. Throws `AppError`, with code `USAGE` for a wrong command line. */
export async function route(
  args: readonly string[],
  host: Host,
): Promise<Routed> {
  const [verb, ...rest] = args;
  if (verb === undefined) {
    return { outcome: { ...plain(helpText(TABLE)), exitCode: 2 }, json: false };
  }
  if (verb === "--version" || verb === "-V") {
    return { outcome: plain(BUILD_INFO.version), json: false };
  }
  if (verb === "help" || verb === "--help" || verb === "-h") {
    const [first, second] = rest;
    const group = first && second === undefined && groupHelp(first, "--help");
    if (group) return { outcome: plain(group), json: false };
    return await help(rest, host);
  }
  const group = groupHelp(verb, rest[0]);
  if (group !== undefined) return { outcome: plain(group), json: false };
  const row = findRow(args);
  return await runVerb(row, args.slice(wordCount(row)), host);
}

async function help(words: readonly string[], host: Host): Promise<Routed> {
  if (words.length === 0) {
    return { outcome: plain(helpText(TABLE)), json: false };
  }
  return await runVerb(findRow(words), ["--help"], host);
}

/** The row of the first word, or of the first two. */
function findRow([verb = "", second]: readonly string[]): TableRow {
  const row = TABLE.find((r) => r.name === `${verb} ${second}`) ??
    TABLE.find((r) => r.name === verb || r.aliases?.includes(verb));
  if (row) return row;
  const seconds = secondWords(verb);
  if (seconds.length > 0) throw groupError(verb, second, seconds);
  const names = TABLE.filter((r) => !r.hidden).flatMap((
    r,
  ) => [r.name, ...(r.aliases ?? [])]);
  const near = didYouMean(verb, names);
  throw new AppError(
    "USAGE",
    `Cannot run ${quote(verb)}: there is no such command`,
    {
      hint: near === undefined
        ? "See the commands: aenv --help"
        : `Did you mean: aenv ${near}`,
    },
  );
}

function wordCount({ name }: TableRow): number {
  return name.split(" ").length;
}

/** What `aenv GROUP --help` prints; undefined for what is a command by itself, or no group, or asks for no help. */
function groupHelp(
  verb: string,
  second: string | undefined,
): string | undefined {
  const isCommand = TABLE.some(({ name, aliases }) =>
    name === verb || aliases?.includes(verb)
  );
  const rows = TABLE.filter(({ name }) => name.startsWith(`${verb} `));
  const asks = second === "--help" || second === "-h" || second === "help";
  return isCommand || !asks || rows.length === 0
    ? undefined
    : groupHelpText(verb, rows);
}

/** The second words of the commands that start with `verb`. */
function secondWords(verb: string): string[] {
  return TABLE.filter((row) => row.name.startsWith(`${verb} `))
    .map((row) => row.name.slice(verb.length + 1));
}

function groupError(
  verb: string,
  second: string | undefined,
  seconds: readonly string[],
): AppError {
  const isMissing = second === undefined || second.startsWith("-");
  const near = isMissing ? undefined : didYouMean(second, seconds);
  return new AppError(
    "USAGE",
    `Cannot run ${quote(`aenv ${verb}`)}: ${
      isMissing
        ? "it needs another word"
        : `${quote(second)} is none of its words`
    }`,
    {
      hint: near === undefined
        ? `Use one of: ${
          seconds.map((word) => `aenv ${verb} ${word}`).join(", ")
        }`
        : `Did you mean: aenv ${verb} ${near}`,
    },
  );
}

async function runVerb(
  row: TableRow,
  args: readonly string[],
  host: Host,
): Promise<Routed> {
  const { command } = await row.load();
  const parsed = parse(row, command, args);
  if (typeof parsed === "string") {
    return { outcome: plain(parsed), json: false };
  }
  if (row.mutates) await prepareChange(row, parsed, host);
  const json = parsed.options["json"] === true;
  return { outcome: await command.run(parsed, host, { table: TABLE }), json };
}

async function prepareChange(
  row: TableRow,
  input: Input,
  host: Host,
): Promise<void> {
  if (isInside(host)) throw insideError(row);
  await settleSessions(host, textOption(input, "env"));
}

function insideError({ name }: TableRow): AppError {
  return new AppError(
    "SANDBOX_REFUSED",
    `Cannot run ${
      quote(`aenv ${name}`)
    }: this is the sandbox of an environment, which changes nothing about itself`,
    { hint: "Run it outside of the sandbox", exitCode: ExitCode.refused },
  );
}

/** The input, or the help text when that was asked for. */
function parse(
  row: TableRow,
  command: Command,
  args: readonly string[],
): Input | string {
  const program = commanderFor(row, command);
  let printed = "";
  let input: Input | undefined;
  program.configureOutput({
    writeOut: (text) => printed += text,
    writeErr: () => undefined,
  });
  program.action((...values: unknown[]) => {
    const count = command.words.arguments?.length ?? 0;
    input = {
      args: values.slice(0, count).flat().filter((v) =>
        v !== undefined
      ) as string[],
      ...optionsOf(program),
    };
  });
  try {
    const words = command.words.normalize?.(args) ?? [...args];
    program.parse(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (
      error.code === "commander.helpDisplayed" ||
      error.code === "commander.help"
    ) {
      return printed.trimEnd();
    }
    throw usageError(row, error);
  }
  return input!;
}

function optionsOf(program: Commander): Required<Omit<Input, "args">> {
  const options: Record<string, string | boolean | undefined> = {};
  const lists: Record<string, readonly string[]> = {};
  for (const [name, value] of Object.entries(program.opts())) {
    if (Array.isArray(value)) lists[name] = value;
    else options[name] = value;
  }
  return { options, lists };
}

function commanderFor(row: TableRow, command: Command): Commander {
  const { words } = command;
  const program = new Commander(`aenv ${row.name}`)
    .description(row.summary)
    .exitOverride()
    .helpOption("-h, --help", "Show this help");
  for (const argument of words.arguments ?? []) {
    const name = argument.name + (argument.variadic ? "..." : "");
    program.argument(
      argument.optional ? `[${name}]` : `<${name}>`,
      argument.summary,
    );
  }
  for (const { flags, summary, choices } of words.options ?? []) {
    const option = new CommanderOption(flags, summary);
    program.addOption(choices ? option.choices(choices) : option);
  }
  if (words.env) {
    program.option(
      "-E, --env <env>",
      "Environment: a name, or a path to its aenv.toml",
    );
  }
  program.option("--json", "Print JSON");
  if (words.passThrough) program.passThroughOptions();
  const examples = words.examples ?? [];
  if (examples.length > 0) {
    program.addHelpText(
      "after",
      "\nExamples:\n" + examples.map((e) => `  ${e}`).join("\n"),
    );
  }
  return program;
}

function usageError(row: TableRow, error: CommanderError): AppError {
  // Commander's words are sentences; ours have no period, and one colon between what and why.
  const state = error.message.replace(/^error: /, "")
    .replace(/\s*\(Did you mean (.*)\?\)$/, "")
    .replace(/\. Expected /, ": expected ")
    .replace(/ is invalid\. Allowed choices are /, " is none of: ").replace(
      /\.$/,
      "",
    )
    .replaceAll("'", '"').trim();
  const near = /\(Did you mean (.*)\?\)/.exec(error.message)?.[1];
  return new AppError(
    "USAGE",
    `Cannot run ${quote(`aenv ${row.name}`)}: ${state}`,
    {
      hint: near === undefined
        ? `See its words: aenv ${row.name} --help`
        : `Did you mean ${near}?`,
      cause: error,
    },
  );
}

function plain(text: string): Outcome {
  return { data: text, text: () => text };
}
