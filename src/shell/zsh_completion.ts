/** Completion of `aenv` in zsh's completion system. */
import { quoteFor } from "./escape.ts";
import {
  type CompletionDialect,
  completionFunction,
} from "./posix_completion.ts";
import type { CommandWord } from "./types.ts";
import type { Choice } from "./words.ts";

const ZSH: CompletionDialect = {
  shell: "zsh",
  start: "builtin local -a choices",
  before: '"${(@)words[2,CURRENT-1]}"',
  current: '"${words[CURRENT]}"',
  offer: "compadd --",
  files: "_files",
  describe,
  end: "return 0",
};

/** Text that defines the completion; `root` is the quoted default of `$AENV_HOME`. See {@link ZSH_COMPDEF}. */
export function zshCompletion(
  commands: readonly CommandWord[],
  root: string,
): string {
  return `_aenv_default_root=${root}
_aenv_envs() {
  builtin local -a names
  names=("\${AENV_HOME:-$_aenv_default_root}"/envs/*/aenv.toml(N:h:t))
  compadd -- "\${names[@]}" global
}
${completionFunction(commands, ZSH)}`;
}

/** Registers the completion as soon as the completion system is there: users start it before or after us. */
export const ZSH_COMPDEF = `_aenv_compdef() {
  if ((\${+functions[compdef]})) && [[ "\${_comps[aenv]-}" != _aenv_complete ]]; then
    compdef _aenv_complete aenv
  fi
}`;

function describe(choices: readonly Choice[]): string {
  const items = choices.map(({ word, summary }) =>
    quoteFor("zsh", summary === "" ? word : `${word}:${summary}`)
  );
  return `choices=(${items.join(" ")}); _describe command choices`;
}
