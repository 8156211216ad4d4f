/** TOML text to plain values, and texts and keys to TOML. */
import { parse, TomlError } from "smol-toml";
import { escapeControl } from "../base/text.ts";

/** Some editors on Windows put it first; it is no part of the document. */
export const BYTE_ORDER_MARK = "\ufeff";

/** Parses a document; `fail` is told what is wrong, with line and column, and throws. */
export function parseTomlText(
  text: string,
  fail: (state: string, cause: unknown) => never,
): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const marker = conflictMarker(text);
    if (marker !== undefined) {
      fail(`line ${marker}, column 1: unresolved merge conflict`, error);
    }
    const [state] = error.message.replace(/^Invalid TOML document: /, "")
      .split("\n", 1);
    fail(`line ${error.line}, column ${error.column}: ${state}`, error);
  }
}

/** The line of the first conflict that git left, counted from 1. */
function conflictMarker(text: string): number | undefined {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => line.startsWith("<<<<<<< "));
  const isConflict = first >= 0 &&
    lines.some((line, i) => i > first && line.startsWith(">>>>>>> "));
  return isConflict ? first + 1 : undefined;
}

/** ASCII that stands for itself: most texts, and a lock has hundreds. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** `text` as a string on one line; what cannot be seen is escaped. */
export function tomlString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  return '"' + [...text].map(escapeCharacter).join("") + '"';
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
};

function escapeCharacter(character: string): string {
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  if (escapeControl(character) === character) return character;
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length > 4
    ? "\\U" + hex.padStart(8, "0")
    : "\\u" + hex.padStart(4, "0");
}

/** `key` as one part of a key or header. */
export function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : tomlString(key);
}
