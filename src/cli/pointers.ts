/** Words for what names an env. */
import type { Pointer } from "../env/mod.ts";

/** The pointer for a sentence: the file, or the variable in this shell. */
export function pointerWords({ kind, where }: Pointer): string {
  return kind === "variable" ? `${where} in this shell` : where;
}
