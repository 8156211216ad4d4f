/** TOML text to plain values. */
import { parse, TomlError } from "smol-toml";

/** Parses a document; `fail` is told what is wrong, with line and column, and throws. */
export function parseTomlText(
  text: string,
  fail: (state: string, cause: unknown) => never,
): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [state] = error.message.replace(/^Invalid TOML document: /, "")
      .split("\n", 1);
    fail(`line ${error.line}, column ${error.column}: ${state}`, error);
  }
}
