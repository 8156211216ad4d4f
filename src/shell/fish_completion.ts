/** Completion of `aenv` in fish. */
import { quoteFor } from "./escape.ts";
import type { CommandWord } from "./types.ts";
import {
  groupNames,
  valueOptions,
  type Verb,
  type WordTree,
  wordTree,
} from "./words.ts";

/** Text that defines and registers the completion; `root` is the quoted default of `$AENV_HOME`. */
export function fishCompletion(
  commands: readonly CommandWord[],
  root: string,
): string {
  const tree = wordTree(commands);
  const rows = [...tree.groups].flatMap(([path, choices]) =>
    choices.map(({ word, summary }) =>
      line(path, `-a ${quoted(word)}`, summary)
    )
  );
  return `set -g _aenv_default_root ${root}
${envsFunction()}
${atFunction(tree)}
complete -c aenv -e
complete -c aenv -f
${[...rows, ...tree.verbs.flatMap(verbRows)].join("\n")}
`;
}

function envsFunction(): string {
  return `function _aenv_envs
    set -l home "$AENV_HOME"
    test -n "$home"; or set home $_aenv_default_root
    for file in $home/envs/*/aenv.toml
        string match -rq '^(?s).*/(?<name>[^/]+)/aenv\\.toml\\z' -- $file
        and builtin echo $name
    end
    builtin echo global
end`;
}

function atFunction(tree: WordTree): string {
  const values = valueOptions(tree).map(quoted).join(" ");
  return `function _aenv_at --argument-names wanted
    set -l words (commandline -opc)
    set -e words[1]
    set -l verb ''
    set -l skip ''
    for word in $words
        if test -n "$skip"
            set skip ''
        else if contains -- $word ${values}
            set skip 1
        else if string match -q -- '-*' $word
            continue
        else if test -z "$verb"
            set verb $word
        else if contains -- $verb ${groupNames(tree).map(quoted).join(" ")}
            set verb "$verb $word"
        end
    end
    test "$verb" = "$wanted"
end`;
}

function verbRows(verb: Verb): string[] {
  const rows: string[] = [];
  if (verb.takes === "env") rows.push(line(verb.path, "-a '(_aenv_envs)'"));
  else if (verb.takes === "path") rows.push(line(verb.path, "-F"));
  else if (verb.takes !== undefined) {
    rows.push(line(verb.path, `-a ${quoted(verb.takes.join(" "))}`));
  }
  for (const option of verb.options) {
    const word = option.startsWith("--")
      ? `-l ${quoted(option.slice(2))}`
      : `-s ${quoted(option.slice(1))}`;
    const value = verb.envOptions.includes(option)
      ? " -x -a '(_aenv_envs)'"
      : verb.valueOptions.includes(option)
      ? " -r -F"
      : "";
    rows.push(line(verb.path, word + value));
  }
  return rows;
}

function line(path: string, what: string, summary = ""): string {
  const condition = quoted(`_aenv_at ${quoted(path)}`);
  const description = summary === "" ? "" : ` -d ${quoted(summary)}`;
  return `complete -c aenv -n ${condition} ${what}${description}`;
}

function quoted(text: string): string {
  return quoteFor("fish", text);
}
