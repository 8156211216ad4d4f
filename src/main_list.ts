/** `aenv list`, as pickers and completions ask it. */
import { command } from "./cli/commands/list.ts";
import { runPlain } from "./cli/run_plain.ts";

/** Lists the envs and returns the exit code. */
export function runList(): Promise<number> {
  return runPlain(command);
}
