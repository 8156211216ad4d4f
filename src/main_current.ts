/** `aenv current`, which prompts and status lines ask: it has no words to parse, so the parser is not loaded. */
import { command } from "./cli/commands/current.ts";
import { runPlain } from "./cli/run_plain.ts";

/** Prints the active env's name and returns the exit code. */
export function runCurrent(): Promise<number> {
  return runPlain(command);
}
