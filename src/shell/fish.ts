/** The script for fish, from 3.2 on. Substitutions of built-ins do not fork there. */
import { quoteFor } from "./escape.ts";
import type { ScriptValues } from "./types.ts";

/** The script; `completion` goes in at its end. */
export function fishScript(values: ScriptValues, completion: string): string {
  return `# aenv for fish
set -g _aenv_self ${quoteFor("fish", values.self)}
set -g _aenv_shims ${quoteFor("fish", values.shims)}
set -g _aenv_root ${quoteFor("fish", values.root)}
set -g _aenv_now ''
set -g _aenv_key ''
set -g _aenv_text ''
set -g _aenv_there ''
set -g _aenv_was ''
set -g _aenv_name ''
set -g _aenv_marker ''
${BASE}
${LOOK}
${UPDATE}
${COMMAND}
${PROMPT}
${completion}
_aenv_path
if status is-interactive
    _aenv_install
end
`;
}

const BASE = `function _aenv_path
    set -l kept
    for item in $PATH
        if test "$item" != "$_aenv_shims"; and test "$item" != "$_aenv_shims/"
            set -a kept $item
        end
    end
    set -gx PATH $_aenv_shims $kept
end
function _aenv_run
    if test -x $_aenv_self
        $_aenv_self $argv
    else if test -x $_aenv_shims/aenv
        $_aenv_shims/aenv $argv
    else
        builtin printf 'aenv: cannot run "%s": it does not exist\\n' $_aenv_self >&2
        return 127
    end
end
function _aenv_parse
    set -g _aenv_name $argv[1]
    string match -qr '^[A-Za-z0-9._-]+\\z' -- "$_aenv_name"
    or set -g _aenv_name '?'
end
function _aenv_read --argument-names file
    set -g _aenv_text ''
    if test -f "$file"; and test -r "$file"
        builtin read -g -z -n 2048 _aenv_text <$file
    end
end`;

const LOOK = `function _aenv_look
    set -l pin ''
    set -l dir (builtin pwd -P 2>/dev/null | string collect)
    set -l seen -
    while true
        set pin $dir/.aenv-version
        test -e $pin; or test -L $pin; and break
        set pin $dir/aenv.toml
        test -e $pin; or test -L $pin; and break
        set pin ''
        test -n "$dir"; or break
        string match -rq '^(?<dir>(?s).*)/[^/]*\\z' -- $dir
    end
    test -d ./..; or set seen '?'
    test -n "$pin"; and set seen $pin
    set -l home "$AENV_HOME"
    test -n "$home"; or set home $_aenv_root
    _aenv_read $pin
    set -g _aenv_now "k$seen|$AENV_OVERRIDE|$AENV|$AENV_SHELL|$AENV_HOME|$_aenv_text"
    _aenv_read $home/config.toml
    set -g _aenv_now "$_aenv_now|$_aenv_text"
    _aenv_exists
end
function _aenv_exists
    set -l home "$AENV_HOME"
    test -n "$home"; or set home $_aenv_root
    set -g _aenv_there ''
    test -e "$home/envs/$_aenv_name/aenv.toml"; and set -g _aenv_there 1
end`;

/** Asks the program for the active env when something has changed since it was asked last. */
const UPDATE = `function _aenv_update
    _aenv_look
    if test "$_aenv_now" = "$_aenv_key"; and test "$_aenv_there" = "$_aenv_was"
        return 0
    end
    set -l found (AENV_QUIET=1 _aenv_run current </dev/null 2>/dev/null)
    or set found ''
    _aenv_parse "$found[1]"
    set -g _aenv_key $_aenv_now
    _aenv_exists
    set -g _aenv_was $_aenv_there
    set -g _aenv_marker "[$_aenv_name] "
    test "$_aenv_name" = global; and set -g _aenv_marker ''
    return 0
end`;

/** The function over the program: `use` and `quit` act on this shell, all else passes through. */
const COMMAND = `function aenv --description 'Environments for coding agents'
    set -g _aenv_key ''
    if test (count $argv) -eq 1; and contains -- $argv[1] quit deactivate
        set -e -g AENV
        set -e -g AENV_SHELL
        set -gx AENV_OVERRIDE global
        return 0
    end
    if not contains -- use $argv
        _aenv_run $argv
        return
    end
    set -lx AENV_SHELL_FUNCTION 1
    _aenv_run $argv
    or return
    set -l target (_aenv_run __use-target $argv </dev/null 2>/dev/null)
    or return 0
    _aenv_parse "$target[1]"
    test "$_aenv_name" = '?'; and return 0
    set -e -g AENV
    set -e -g AENV_OVERRIDE
    set -gx AENV_SHELL $_aenv_name
    return 0
end`;

/**
 * The user's prompt runs first, inside a substitution that inherits its $status and $pipestatus; the marker goes behind
 * line breaks that the prompt starts with.
 */
const PROMPT = `function _aenv_on_prompt --on-event fish_prompt
    _aenv_update
end
function _aenv_install
    if functions -q fish_prompt
        functions fish_prompt | string match -q '*_aenv_fish_prompt*'; and return 0
        functions -e _aenv_fish_prompt
        functions -c fish_prompt _aenv_fish_prompt
    else
        function _aenv_fish_prompt
            builtin printf '> '
        end
    end
    function fish_prompt --description 'The prompt with the environment in front'
        set -l text (_aenv_fish_prompt | string collect -N)
        string match -rq '^(?<head>\\n*)(?<rest>(?s).*)\\z' -- "$text"
        builtin printf '%s%s%s' "$head" "$_aenv_marker" "$rest"
    end
end`;
