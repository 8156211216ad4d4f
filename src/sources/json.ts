/** JSON that strangers wrote. */
import type { AppError } from "../base/errors.ts";

/** Whether it is an object of JSON. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses an object; anything else is thrown as what `refuse` makes of the state. */
export function parseRecord(
  text: string,
  refuse: (state: string, cause?: unknown) => AppError,
): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw refuse(`is not JSON (${error.message})`, error);
  }
  if (isRecord(value)) return value;
  throw refuse("is not an object");
}
