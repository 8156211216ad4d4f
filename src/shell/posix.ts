/**
 * What the scripts for bash and zsh share. The text must run in both, in bash from 3.2 on, under `set -eu`, with any
 * aliases, and on the steady path without a fork: no subshell and no `$(…)`.
 */
import { quoteFor } from "./escape.ts";
import type { ScriptValues } from "./types.ts";

/** What differs between the two. */
export interface PosixDialect {
  readonly shell: "bash" | "zsh";
  /** What every function starts with: a line break and a line, or nothing. */
  readonly prologue: string;
  /** Reads at most 4096 characters of "$1" into `_aenv_text`; "$1" is a regular file. */
  readonly read: string;
  /** What brings the marker into the prompt when the shell expands it. */
  readonly reference: string;
  /** The escape for a line break, and the pair around characters without width. */
  readonly prompt: {
    readonly newline: string;
    readonly open: string;
    readonly close: string;
  };
}

/** Characters of a name, spelled out: ranges depend on the locale. */
const NAME_CHARACTERS =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

/** Variables and functions of the script: everything but the hook into the prompt. */
export function posixBase(values: ScriptValues, dialect: PosixDialect): string {
  return [
    variables(values, dialect),
    pathFunction(dialect),
    runFunction(dialect),
    nameFunction(dialect),
    readFunction(dialect),
    lookFunction(dialect),
    updateFunction(dialect),
    markFunction(dialect),
    commandFunction(dialect),
  ].join("\n");
}

function variables(values: ScriptValues, { shell }: PosixDialect): string {
  return `_aenv_self=${quoteFor(shell, values.self)}
_aenv_shims=${quoteFor(shell, values.shims)}
_aenv_root=${quoteFor(shell, values.root)}
_aenv_now= _aenv_key= _aenv_text= _aenv_there= _aenv_was= _aenv_name= _aenv_marker=`;
}

/** Puts the shims first on PATH, exactly once. Empty parts of PATH mean the current directory and stay. */
function pathFunction({ prologue }: PosixDialect): string {
  return `_aenv_path() {${prologue}
  builtin local rest="\${PATH:+$PATH:}" item="" kept=""
  while [[ -n "$rest" ]]; do
    item="\${rest%%:*}"
    rest="\${rest#*:}"
    if builtin test "$item" = "$_aenv_shims" || builtin test "$item" = "$_aenv_shims/"; then
      continue
    fi
    kept="$kept:$item"
  done
  builtin export PATH="$_aenv_shims$kept"
}`;
}

function runFunction({ prologue }: PosixDialect): string {
  return `_aenv_run() {${prologue}
  if [[ -x "$_aenv_self" ]]; then
    "$_aenv_self" "$@"
  elif [[ -x "$_aenv_shims/aenv" ]]; then
    "$_aenv_shims/aenv" "$@"
  else
    builtin printf 'aenv: cannot run "%s": it does not exist\\n' "$_aenv_self" >&2
    return 127
  fi
}`;
}

/** Sets `_aenv_name` to the first line of "$1", or to `?` when that cannot be a name. */
function nameFunction({ prologue }: PosixDialect): string {
  return `_aenv_parse() {${prologue}
  builtin local newline=$'\\n' carriage=$'\\r'
  _aenv_name=\${1%%"$newline"*}
  _aenv_name=\${_aenv_name%"$carriage"}
  case "$_aenv_name" in
    "" | *[!${NAME_CHARACTERS}]*) _aenv_name="?" ;;
  esac
}`;
}

/** Anything but a regular file reads as empty: a FIFO would block, and what has no end is cut. */
function readFunction({ prologue, read }: PosixDialect): string {
  return `_aenv_read() {${prologue}
  _aenv_text=""
  if [[ -f "$1" && -r "$1" ]]; then
    ${read}
  fi
}`;
}

/**
 * Sets `_aenv_now` to all that decides the active env: not $PWD, only the pin that is nearest. It climbs by `..`, so that
 * links in $PWD do not mislead it, and ends in a deleted directory too.
 */
function lookFunction({ prologue }: PosixDialect): string {
  return `_aenv_look() {${prologue}
  builtin local up="./" dir="\${PWD-}" pin="" seen="-"
  while [[ 1 ]]; do
    for pin in .aenv-version aenv.toml; do
      if [[ -e "$up$pin" || -L "$up$pin" ]]; then seen="$dir/$pin"; pin="$up$pin"; break 2; fi
    done
    pin=""
    if [[ ! -d "$up.." ]]; then seen="?"; break; fi
    if [[ "$up" -ef "$up.." ]]; then break; fi
    up="$up../"
    dir="\${dir%/*}"
  done
  _aenv_read "$pin"
  _aenv_now="$seen|\${AENV_OVERRIDE-}|\${AENV-}|\${AENV_SHELL-}|\${AENV_HOME-}|$_aenv_text"
  _aenv_read "\${AENV_HOME:-$_aenv_root}/config.toml"
  _aenv_now="$_aenv_now|$_aenv_text"
  _aenv_exists
}
_aenv_exists() {${prologue}
  _aenv_there=""
  if [[ -e "\${AENV_HOME:-$_aenv_root}/envs/$_aenv_name/aenv.toml" ]]; then _aenv_there=1; fi
}`;
}

/** Asks the program for the active env when something has changed since it was asked last. */
function updateFunction({ prologue }: PosixDialect): string {
  return `_aenv_update() {${prologue}
  builtin local found=""
  _aenv_look
  if builtin test "k$_aenv_now" = "k$_aenv_key" && builtin test "k$_aenv_there" = "k$_aenv_was"; then
    return 0
  fi
  found="$(AENV_QUIET=1 _aenv_run current </dev/null 2>/dev/null)" || found=""
  _aenv_parse "$found"
  _aenv_key="$_aenv_now"
  _aenv_exists
  _aenv_was="$_aenv_there"
  _aenv_marker="[$_aenv_name] "
  case "$_aenv_name" in
    global) _aenv_marker="" ;;
  esac
}`;
}

/** Puts the reference into PS1 once, behind line breaks that the prompt starts with; takes it out when "$1" is empty. */
function markFunction(
  { prologue, reference, prompt, shell }: PosixDialect,
): string {
  const quoted = (text: string) => quoteFor(shell, text);
  return `_aenv_mark() {${prologue}
  builtin local reference=${quoted(reference)} open=${
    quoted(prompt.open)
  } close=${quoted(prompt.close)} newline=${quoted(prompt.newline)}
  builtin local rest="\${PS1-}" head="" seen="" token=""
  if [[ -z "$1" ]]; then
    PS1=\${rest/"$reference"/}
    return 0
  fi
  case "$rest" in
    *"$reference"*) return 0 ;;
  esac
  while [[ 1 ]]; do
    case "$rest" in
      "$newline"*) token="$newline" ;;
      $'\\n'*) token=$'\\n' ;;
      "$open"*"$close"*) token=\${rest%%"$close"*}"$close" ;;
      *) break ;;
    esac
    rest=\${rest#"$token"}
    seen="$seen$token"
    case "$token" in
      "$newline" | $'\\n') head="$seen" ;;
    esac
  done
  rest="\${PS1-}"
  PS1="$head$reference"\${rest#"$head"}
}`;
}

/** The function over the program: `use` and `quit` act on this shell, all else passes through. */
function commandFunction({ prologue }: PosixDialect): string {
  return `aenv() {${prologue}
  builtin local word="" verb=""
  _aenv_key=""
  case "\${#}:\${1-}" in
    1:quit | 1:deactivate)
      builtin unset AENV AENV_SHELL
      builtin export AENV_OVERRIDE=global
      return 0
      ;;
  esac
  for word in "$@"; do
    case "$word" in
      use) verb=use ;;
    esac
  done
  if [[ -z "$verb" ]]; then
    _aenv_run "$@"
    return
  fi
  builtin local -x AENV_SHELL_FUNCTION=1
  _aenv_run "$@" || return
  word="$(_aenv_run __use-target "$@" </dev/null 2>/dev/null)" || return 0
  _aenv_parse "$word"
  case "$_aenv_name" in
    "?") return 0 ;;
  esac
  builtin unset AENV AENV_OVERRIDE
  builtin export AENV_SHELL="$_aenv_name"
}`;
}
