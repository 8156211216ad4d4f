/** Foreign text made fit to be shown. */
import { redact } from "../base/redact.ts";
import { escapeControl } from "../base/text.ts";
import type { Item } from "./types.ts";

/**
 * An item whose lines cannot steer a terminal: control and invisible characters are written out, credentials masked. A line
 * break makes a further line that cannot be taken for one of ours. Nothing is cut: what is not shown has not been agreed to.
 */
export function makeItem(title: string, lines: readonly string[]): Item {
  return {
    title: clean(title),
    lines: lines.map((line) => line.split("\n").map(clean)).flatMap((
      [first = "", ...further],
    ) => [first, ...further.map((line) => `  | ${line}`)]),
  };
}

function clean(text: string): string {
  return escapeControl(redact(text));
}
