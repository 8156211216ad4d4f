/** Numbers on the command line. */
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import { type Input, textOption } from "./command.ts";

/** The whole number given with `--name`, or `otherwise`. Throws `USAGE` for one outside of `min` and `max`. */
export function countOption(
  input: Input,
  name: string,
  { otherwise, min, max }: { otherwise: number; min: number; max: number },
): number {
  const text = textOption(input, name);
  if (text === undefined) return otherwise;
  const count = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (count >= min && count <= max) return count;
  throw new AppError(
    "USAGE",
    `Cannot use ${quote(text)} for ${
      quote("--" + name)
    }: it is no whole number from ${min} to ${max}`,
    { hint: `Give one: --${name} ${otherwise}` },
  );
}

/** A number of bytes for people: `3.4 MB`. */
export function showBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}
