/** The command table as completion needs it: one row a verb, words only. */
import type { CommandWord } from "./types.ts";

/** One command with its options taken apart. */
export interface Verb {
  /** `use`, `secrets add`. */
  readonly path: string;
  readonly summary: string;
  /** Every spelling: `-E`, `--env`. */
  readonly options: readonly string[];
  /** Spellings of the options whose value is an environment's name. */
  readonly envOptions: readonly string[];
  /** Spellings of the options that take a value of any kind. */
  readonly valueOptions: readonly string[];
  readonly takes: CommandWord["takes"];
}

/** What may stand at the first place of the command line, and behind each group. */
export interface WordTree {
  readonly verbs: readonly Verb[];
  /** Path of a group, "" for the top → its words with their summaries. */
  readonly groups: ReadonlyMap<string, readonly Choice[]>;
}

/** A word and what it means. */
export interface Choice {
  readonly word: string;
  readonly summary: string;
}

/** Sorts commands into verbs and groups. */
export function wordTree(commands: readonly CommandWord[]): WordTree {
  const groups = new Map<string, Choice[]>([["", []]]);
  for (const { name, summary } of commands) {
    const [first = "", second] = name.split(" ");
    const top = groups.get("")!;
    if (!top.some((choice) => choice.word === first)) {
      top.push({ word: first, summary: second === undefined ? summary : "" });
    }
    if (second === undefined) continue;
    const group = groups.get(first) ?? [];
    group.push({ word: second, summary });
    groups.set(first, group);
  }
  return { verbs: commands.map(toVerb), groups };
}

/** Paths of the groups below the top. */
export function groupNames(tree: WordTree): string[] {
  return [...tree.groups.keys()].filter((path) => path !== "");
}

/** Spellings of all options that take a value, each once. */
export function valueOptions(tree: WordTree): string[] {
  return [...new Set(tree.verbs.flatMap((verb) => verb.valueOptions))];
}

function toVerb(command: CommandWord): Verb {
  const options = (command.options ?? []).map(parseFlags);
  return {
    path: command.name,
    summary: command.summary,
    options: options.flatMap((option) => option.words),
    envOptions: options.filter((option) => option.value === "env")
      .flatMap((option) => option.words),
    valueOptions: options.filter((option) => option.value !== undefined)
      .flatMap((option) => option.words),
    takes: command.takes,
  };
}

function parseFlags(
  flags: string,
): { words: string[]; value: string | undefined } {
  return {
    words: flags.match(/(?<![\w<[-])--?[A-Za-z][\w-]*/g) ?? [],
    value: /<([^>]+)>/.exec(flags)?.[1],
  };
}
