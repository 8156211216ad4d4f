/** Completion of `aenv` in bash: no process, no bash-completion needed. */
import {
  type CompletionDialect,
  completionFunction,
} from "./posix_completion.ts";
import type { CommandWord } from "./types.ts";

const BASH: CompletionDialect = {
  shell: "bash",
  start:
    'builtin local _aenv_current="${COMP_WORDS[COMP_CWORD]}" _aenv_files=""; COMPREPLY=()',
  before: '"${COMP_WORDS[@]:1:COMP_CWORD-1}"',
  current: '"$_aenv_current"',
  offer: "_aenv_offer",
  files: "_aenv_files=1",
  describe: (choices) =>
    "_aenv_offer " + choices.map((choice) => choice.word).join(" "),
  // Readline offers files where nothing matched, unless told not to. Bash 3.2 cannot be told.
  end:
    'if [[ -z "$_aenv_files" ]]; then builtin compopt +o default 2>/dev/null || builtin true; fi',
};

/** Text that defines and registers the completion; `root` is the quoted default of `$AENV_HOME`. */
export function bashCompletion(
  commands: readonly CommandWord[],
  root: string,
): string {
  return `_aenv_default_root=${root}
${ENVS}
${completionFunction(commands, BASH)}
builtin complete -o default -F _aenv_complete aenv`;
}

const ENVS = `_aenv_offer() {
  builtin local word=""
  for word in "$@"; do
    if [[ "$word" == "$_aenv_current"* ]]; then COMPREPLY+=("$word"); fi
  done
}
_aenv_envs() {
  builtin local file="" name="" flags="$-" fail=""
  if builtin shopt -q failglob; then fail=1; builtin shopt -u failglob; fi
  builtin set +f
  for file in "\${AENV_HOME:-$_aenv_default_root}"/envs/*/aenv.toml; do
    if [[ ! -f "$file" ]]; then continue; fi
    name="\${file%/aenv.toml}"
    _aenv_offer "\${name##*/}"
  done
  _aenv_offer global
  if [[ -n "$fail" ]]; then builtin shopt -s failglob; fi
  case "$flags" in
    *f*) builtin set -f ;;
  esac
}`;
