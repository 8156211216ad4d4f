/** The only code that writes what a command says. */
import { redact } from "../base/redact.ts";
import { writeOut } from "../os/terminal.ts";
import type { Outcome } from "./command.ts";

/** Prints the outcome to standard output, as text or as JSON. */
export function print(
  { outcome, json }: { readonly outcome: Outcome; readonly json: boolean },
): void {
  const text = json
    ? JSON.stringify(outcome.data, undefined, 2)
    : outcome.text();
  if (text !== "") writeOut(redact(text) + "\n");
}

/** Prints a line at once, for what has no end. Returns false when nobody reads it any more. */
export function printLine(line: string): boolean {
  return writeOut(redact(line) + "\n");
}
