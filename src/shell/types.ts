/** Words of this module. */
import type { Shell } from "./escape.ts";

/** One command for completion. */
export interface CommandWord {
  /** `use`, or `secrets add` for a command below a group. */
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  /** Options in commander's notation: `-l, --long`, `--from <env>`. `<env>` completes environment names. */
  readonly options?: readonly string[];
  /** What its arguments are: environment names, files, or one of these words. Nothing is offered unless given. */
  readonly takes?: "env" | "path" | readonly string[];
}

/** What a shell's script is made from. */
export interface ShellInit {
  readonly shell: Shell;
  /** Absolute path of this program. */
  readonly self: string;
  /** Absolute path of the directory of shims. */
  readonly shims: string;
  /** Absolute path of our home, used where `$AENV_HOME` is not set. */
  readonly root: string;
  readonly commands: readonly CommandWord[];
}

/** The paths of a {@link ShellInit}, checked and in the shell's notation. */
export interface ScriptValues {
  readonly self: string;
  readonly shims: string;
  readonly root: string;
}
