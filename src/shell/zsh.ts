/** The script for zsh. */
import { quoteFor } from "./escape.ts";
import { posixBase, type PosixDialect } from "./posix.ts";
import type { ScriptValues } from "./types.ts";

/** Element of psvar that holds the name: high, because users count theirs from 1. */
const ELEMENT = 42;

const ZSH: PosixDialect = {
  shell: "zsh",
  prologue: "\n  builtin emulate -L zsh -o no_aliases",
  read:
    `builtin read -r -u 0 -k 4096 _aenv_text 2>/dev/null <"$1" || builtin true`,
  // Needs no prompt_subst, and what psvar holds is never expanded.
  reference: `%(${ELEMENT}V.[%${ELEMENT}v] .)`,
  prompt: { newline: "\n", open: "%{", close: "%}" },
};

/**
 * The script; `completion` goes in at its end. It is one quoted word, evaluated with aliases off and default options:
 * zsh reads a whole `eval` before it runs the first line.
 */
export function zshScript(values: ScriptValues, completion: string): string {
  const body = `${posixBase(values, ZSH)}
${HOOK}
${completion}
_aenv_path
_aenv_install
`;
  return `# aenv for zsh
_aenv_init() {
\\builtin emulate -L zsh -o no_aliases
\\builtin eval ${quoteFor("zsh", "\n" + body)}
}
_aenv_init
\\builtin unfunction _aenv_init
`;
}

const HOOK = `_aenv_precmd() {
  builtin local percent=""
  if [[ -o prompt_percent ]]; then percent=1; fi
  builtin emulate -L zsh
  _aenv_update
  _aenv_mark "$percent"
  if [[ -n "$_aenv_marker" ]]; then psvar[${ELEMENT}]="$_aenv_name"; else psvar[${ELEMENT}]=""; fi
  _aenv_compdef
  return 0
}
_aenv_install() {
  builtin emulate -L zsh
  builtin typeset -ga precmd_functions
  if ((! \${precmd_functions[(Ie)_aenv_precmd]})); then precmd_functions+=(_aenv_precmd); fi
}`;
