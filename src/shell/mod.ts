/** Shell integration: scripts for bash, zsh and fish, as text. Nothing here runs anything. */
import { bashCompletion } from "./bash_completion.ts";
import { bashScript } from "./bash.ts";
import {
  pathEntry,
  quoteFor,
  quoteIfNeeded,
  scriptPath,
  type Shell,
} from "./escape.ts";
import { fishCompletion } from "./fish_completion.ts";
import { fishScript } from "./fish.ts";
import type { CommandWord, ScriptValues, ShellInit } from "./types.ts";
import { ZSH_COMPDEF, zshCompletion } from "./zsh_completion.ts";
import { zshScript } from "./zsh.ts";

export type { CommandWord, Shell, ShellInit };

/** The shells that we write scripts for. */
export const SHELLS: readonly Shell[] = ["bash", "zsh", "fish"];

/**
 * The script that a shell evaluates at its start: shims first on PATH, the function `aenv`, the marker in the prompt,
 * completion. Throws `SHELL_UNSAFE` (exit 3) when a path cannot be written there.
 */
export function shellInit(init: ShellInit): string {
  const { shell, commands } = init;
  const values: ScriptValues = {
    self: scriptPath(init.self, "this program"),
    shims: pathEntry(init.shims, "the directory of shims"),
    root: scriptPath(init.root, "the aenv home"),
  };
  const root = quoteFor(shell, values.root);
  if (shell === "bash") {
    return bashScript(values, bashCompletion(commands, root));
  }
  if (shell === "zsh") {
    return zshScript(
      values,
      zshCompletion(commands, root) + "\n" + ZSH_COMPDEF,
    );
  }
  return fishScript(values, fishCompletion(commands, root));
}

/**
 * Completion alone. The one for zsh is evaluated, or stands as the file `_aenv` in a directory of `$fpath`.
 * Throws `SHELL_UNSAFE`.
 */
export function completionScript(
  shell: Shell,
  commands: readonly CommandWord[],
  dirs: { readonly root: string },
): string {
  const root = quoteFor(shell, scriptPath(dirs.root, "the aenv home"));
  if (shell === "bash") return bashCompletion(commands, root) + "\n";
  if (shell === "fish") return fishCompletion(commands, root);
  return `#compdef aenv
${zshCompletion(commands, root)}
if [[ "\${funcstack[1]-}" == _aenv ]]; then
  _aenv_complete "$@"
else
  ${ZSH_COMPDEF.replaceAll("\n", "\n  ")}
  _aenv_compdef
fi
`;
}

/** The user's shell by `$SHELL`; undefined when it is not one of ours. */
export function detectShell(
  env: Readonly<Record<string, string>>,
): Shell | undefined {
  const name = (env["SHELL"] ?? "").replace(/^.*[/\\]/, "")
    .replace(/\.exe$/i, "");
  return SHELLS.find((shell) => shell === name);
}

/** The line for the shell's start-up file; `self` is this program's absolute path. Throws `SHELL_UNSAFE`. */
export function rcLine(shell: Shell, self: string): string {
  const program = quoteIfNeeded(shell, scriptPath(self, "this program"));
  return shell === "fish"
    ? `${program} shell-init fish | source`
    : `eval "$(${program} shell-init ${shell})"`;
}
