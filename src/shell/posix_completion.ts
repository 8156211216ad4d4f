/** What completion in bash and zsh shares: finding the verb, and what may follow it. */
import { quoteFor } from "./escape.ts";
import type { CommandWord } from "./types.ts";
import {
  type Choice,
  groupNames,
  valueOptions,
  type WordTree,
  wordTree,
} from "./words.ts";

/** What differs between the two. */
export interface CompletionDialect {
  readonly shell: "bash" | "zsh";
  /** Lines at the start of the function. */
  readonly start: string;
  /** The words between the program and the one being completed. */
  readonly before: string;
  /** The word being completed. */
  readonly current: string;
  /** The command that offers words. */
  readonly offer: string;
  /** The command that offers files. */
  readonly files: string;
  /** The command that offers words with their summaries. */
  describe(choices: readonly Choice[]): string;
  /** The last line of the function. */
  readonly end: string;
}

/** The function `_aenv_complete`; it calls `_aenv_envs` for names of environments. */
export function completionFunction(
  commands: readonly CommandWord[],
  dialect: CompletionDialect,
): string {
  const tree = wordTree(commands);
  const { shell } = dialect;
  const pairs = tree.verbs.flatMap(({ path, envOptions }) =>
    envOptions.map((option) => `${path} ${option}`)
  );
  return `_aenv_complete() {
  builtin local verb="" previous="" word="" skip=""
  ${dialect.start}
  for word in ${dialect.before}; do
    previous="$word"
    if [[ -n "$skip" ]]; then skip=""; continue; fi
    case "$word" in
      ${row(shell, valueOptions(tree), "skip=1")}
      -*) continue ;;
    esac
    case "$verb" in
      "") verb="$word" ;;
      ${row(shell, groupNames(tree), 'verb="$verb $word"')}
    esac
  done
  case "$verb $previous" in
    ${row(shell, pairs, "_aenv_envs; return 0")}
  esac
  if [[ -n "$skip" ]]; then ${dialect.files}; return 0; fi
  case ${dialect.current} in
    -*)
      case "$verb" in
        ${optionRows(tree, dialect).join("\n        ")}
      esac
      return 0
      ;;
  esac
  case "$verb" in
    ${argumentRows(tree, dialect).join("\n    ")}
  esac
  ${dialect.end}
}`;
}

function optionRows(tree: WordTree, dialect: CompletionDialect): string[] {
  return tree.verbs.filter((verb) => verb.options.length > 0)
    .map((verb) =>
      row(dialect.shell, [verb.path], offer(dialect, verb.options))
    );
}

function argumentRows(tree: WordTree, dialect: CompletionDialect): string[] {
  const words = [...tree.groups].map(([path, choices]) =>
    row(dialect.shell, [path], dialect.describe(choices))
  );
  const values = tree.verbs.flatMap(({ path, takes }) => {
    if (takes === undefined) return [];
    if (takes === "env") return [row(dialect.shell, [path], "_aenv_envs")];
    const action = takes === "path" ? dialect.files : offer(dialect, takes);
    return [row(dialect.shell, [path], action)];
  });
  return [...words, ...values];
}

function offer(dialect: CompletionDialect, words: readonly string[]): string {
  const { shell } = dialect;
  return `${dialect.offer} ${
    words.map((word) => quoteFor(shell, word)).join(" ")
  }`;
}

/** One branch of a `case`; a comment when no text would lead to it. */
function row(
  shell: "bash" | "zsh",
  texts: readonly string[],
  action: string,
): string {
  if (texts.length === 0) return "# nothing else";
  const pattern = texts.map((text) => quoteFor(shell, text)).join(" | ");
  return `${pattern}) ${action} ;;`;
}
