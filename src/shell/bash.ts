/** The script for bash, from 3.2 on. */
import { posixBase, type PosixDialect } from "./posix.ts";
import type { ScriptValues } from "./types.ts";

const BASH: PosixDialect = {
  shell: "bash",
  prologue: "",
  read:
    `IFS= builtin read -r -d "" -n 4096 _aenv_text 2>/dev/null <"$1" || builtin true`,
  // A variable and not its value: it is never read as a prompt's escapes, and a child that inherits PS1 shows nothing.
  reference: "${_aenv_marker-}",
  prompt: { newline: "\\n", open: "\\[", close: "\\]" },
};

/** The script; `completion` goes in at its end. Aliases are off while it is read, since bash expands them in functions. */
export function bashScript(values: ScriptValues, completion: string): string {
  return `# aenv for bash
_aenv_aliases=""
if \\builtin shopt -q expand_aliases; then _aenv_aliases=1; \\builtin shopt -u expand_aliases; fi
${posixBase(values, BASH)}
${HOOK}
${completion}
_aenv_path
if [[ $- == *i* ]]; then _aenv_install; fi
if [[ -n "$_aenv_aliases" ]]; then builtin shopt -s expand_aliases; fi
\\builtin unset _aenv_aliases
`;
}

/**
 * The hook runs last, so that others see the user's `$?` and may rebuild PS1 first; whoever adds one behind it gets the
 * same `$?`. The entry is a reference: PROMPT_COMMAND is often exported, to shells that lack the function.
 */
const HOOK = `_aenv_prompt() {
  builtin local code="$?" vars=""
  _aenv_update
  if builtin shopt -q promptvars; then vars=1; fi
  _aenv_mark "$vars"
  case "$-" in
    *e*) return 0 ;;
  esac
  return "$code"
}
_aenv_install() {
  builtin local entry='"\${_aenv_hook-:}"'
  _aenv_hook=_aenv_prompt
  case "\${PROMPT_COMMAND[*]-}" in
    *"$entry"*) return 0 ;;
    "") PROMPT_COMMAND="$entry" ; return 0 ;;
  esac
  if [[ \${#PROMPT_COMMAND[@]} -gt 1 ]] && ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)); then
    PROMPT_COMMAND+=("$entry")
  else
    PROMPT_COMMAND="$PROMPT_COMMAND"$'\\n'"$entry"
  fi
}`;
