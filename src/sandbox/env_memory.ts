/**
 * What was decided of variables, for a later launch in which most of them have the same names. A decision that rests on the
 * name alone holds for every value; another one is made again, or holds while the value is of the same kind.
 */
import { redact } from "../base/redact.ts";

/**
 * One letter for each name, in their order. `0`: does not pass; `1`: passes; `v`: passes while the value looks like no
 * credential; `e`: passes while it is empty, having a credential's name; `s`: passes while it is a switch; `r`: does not
 * pass unless it is empty, a switch or a reference.
 */
export interface RememberedVariables {
  /** Sorted. */
  readonly names: readonly string[];
  readonly codes: string;
}

/** Values with fewer characters may be switches. */
const SWITCH_LENGTH = 7;

/** Whether a value is a plain number or a truth value, whatever its variable is called. */
export function isSwitch(value: string): boolean {
  return value.length <= SWITCH_LENGTH && /^(\d{1,7}|true|false)$/.test(value);
}

/** The variables that pass, with their values; undefined when they have to be looked at anew. Nothing passes that would not then. */
export function rememberedPassing(
  { names, codes }: RememberedVariables,
  variables: Readonly<Record<string, string>>,
): Record<string, string> | undefined {
  const present = Object.keys(variables).sort();
  if (present.join("\0") !== names.join("\0")) return undefined;
  if (codes.length !== names.length) return undefined;
  const passing: [string, string][] = [];
  const looked: string[] = [];
  for (let i = 0; i < names.length; i++) {
    const value = variables[names[i]!]!;
    switch (codes[i]) {
      case "0":
        continue;
      case "1":
        break;
      case "v":
        looked.push(value);
        break;
      case "e":
        if (value !== "") return undefined;
        break;
      case "s":
        if (!isSwitch(value)) return undefined;
        break;
      case "r":
        if (value.length <= SWITCH_LENGTH || value.startsWith("${")) {
          return undefined;
        }
        continue;
      default:
        return undefined;
    }
    passing.push([names[i]!, value]);
  }
  // Together they show all that each would show by itself.
  const text = looked.join("\n");
  return redact(text) === text ? Object.fromEntries(passing) : undefined;
}
