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
