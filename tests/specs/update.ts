/** `UPDATE=1`: writes what was seen into the spec. Look at the difference before you keep it. */

import { findValue } from "./jsonc.ts";
import type { Correction } from "./run_case.ts";
import type { Spec } from "./spec.ts";

/** Rewrites the outputs that differed, in the spec or in the `.out` file that it names. */
export function updateSpec(
  directory: string,
  spec: Spec,
  corrections: readonly Correction[],
): void {
  const file = `${directory}/spec.jsonc`;
  let text = Deno.readTextFileSync(file);
  for (const { path, actual } of corrections) {
    const name = expectationAt(spec, path);
    if (typeof name === "string" && name.endsWith(".out")) {
      Deno.writeTextFileSync(`${directory}/${name}`, actual);
    } else {
      text = replaceValue(text, path, literal(actual));
    }
  }
  Deno.writeTextFileSync(file, text);
}

function expectationAt(spec: Spec, path: Correction["path"]): unknown {
  let value: unknown = spec;
  for (const key of path) {
    value = (value as Record<string | number, unknown> | undefined)?.[key];
  }
  return value;
}

/** `text` with the value at `path` replaced, or added as the last key of its object. */
export function replaceValue(
  text: string,
  path: Correction["path"],
  value: string,
): string {
  const span = findValue(text, path);
  if (span) return text.slice(0, span.start) + value + text.slice(span.end);
  const parent = findValue(text, path.slice(0, -1))!;
  const key = JSON.stringify(path[path.length - 1]);
  return `${text.slice(0, parent.start + 1)} ${key}: ${value},${
    text.slice(parent.start + 1)
  }`;
}

function literal(text: string): string {
  const lines = text.replace(/\n$/, "").split("\n");
  const quoted = lines.map((line) => JSON.stringify(line));
  return quoted.length === 1 ? quoted[0]! : `[\n${quoted.join(",\n")}\n]`;
}
