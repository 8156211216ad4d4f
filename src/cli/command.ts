/** What a command is: its words as data, and a function from input to outcome. */
import type { Host } from "../os/host.ts";

/** A positional argument. */
export interface Argument {
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
  /** Takes all that follow. */
  readonly variadic?: boolean;
}

/** An option in commander's notation: `-l, --long`, `--from <env>`. */
export interface Option {
  readonly flags: string;
  readonly summary: string;
  readonly choices?: readonly string[];
}

/** The words of a command, beyond its name and summary in the table. */
export interface Words {
  readonly arguments?: readonly Argument[];
  readonly options?: readonly Option[];
  /** Adds `-E, --env <env>`. */
  readonly env?: boolean;
  /** Whole command lines that work. */
  readonly examples?: readonly string[];
  /** Everything after the first positional argument or `--` is passed on unread. */
  readonly passThrough?: boolean;
  /** Puts what was typed into the notation of the options above, before it is read. */
  normalize?(args: readonly string[]): string[];
}

/** A parsed command line. */
export interface Input {
  /** Positional arguments in order; variadic ones flattened. */
  readonly args: readonly string[];
  /** Options by camel-case name: text, or true. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  /** Options that take several texts (`<kv...>`), by camel-case name. */
  readonly lists?: Readonly<Record<string, readonly string[]>>;
}

/** What a command has to say. Only the printer writes it. */
export interface Outcome {
  /** What `--json` prints. */
  readonly data: unknown;
  /** What people read on standard output; without the final newline; empty prints nothing. */
  text(): string;
  /** 0 unless given. */
  readonly exitCode?: number;
}

/** What a command may know of the others. */
export interface Context {
  readonly table: readonly TableRow[];
}

/** One verb. */
export interface Command {
  readonly words: Words;
  /** Throws `AppError`. Notices go through `host.notice`. */
  run(
    input: Input,
    host: Host,
    context: Context,
  ): Outcome | Promise<Outcome>;
}

/** A line of the command table; `load` is a literal import, so that only the verb that runs is loaded. */
export interface TableRow {
  /** One word, or two: `add mcp` stands for `add` where `mcp` follows it. */
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly group: string;
  readonly summary: string;
  /** Not in the help. */
  readonly hidden?: boolean;
  /** Changes what runs or is allowed next time: refused inside a sandbox. */
  readonly mutates?: boolean;
  load(): Promise<{ readonly command: Command }>;
}

/** An option's text value; undefined when absent. */
export function textOption(input: Input, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === "string" ? value : undefined;
}

/** The texts of an option that takes several; empty when absent. */
export function listOption(input: Input, name: string): readonly string[] {
  return input.lists?.[name] ?? [];
}
