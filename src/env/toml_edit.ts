/** Changing a value in TOML text: comments, order and layout stay. */
import { parse as parseToml, type TomlTable } from "smol-toml";
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";

/** The document as plain values; an edit changes it in place. */
export type Document = Record<string, unknown>;

/**
 * `text` after `edit` changed its values. The result is parsed again and compared with what was meant. Throws
 * `MANIFEST_INVALID` or `CONFIG_INVALID`, as `code` says, when it is not the same; `file` names it in the error.
 */
export async function editToml(
  text: string,
  edit: (document: Document) => void,
  { file, code }: { file: string; code: "MANIFEST_INVALID" | "CONFIG_INVALID" },
): Promise<string> {
  const { parse, patch, TomlFormat } = await import(
    "@decimalturn/toml-patch"
  );
  const wanted = parseToml(text);
  edit(wanted);
  const target = parse(text) as Document;
  edit(target);
  const format = TomlFormat.autoDetectFormat(text);
  // Seen in a list, it would be used in inline tables too, which TOML 1.0 does not allow.
  format.trailingComma = false;
  const result = endWithNewline(patch(text, target, format));
  if (isSame(parseResult(result), wanted)) return result;
  throw new AppError(
    code,
    `Cannot edit ${
      quote(file)
    }: the change cannot be made without losing something`,
    { hint: "Make the change by hand" },
  );
}

function parseResult(text: string): TomlTable | undefined {
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return undefined;
  }
}

function endWithNewline(text: string): string {
  return text === "" || text.endsWith("\n") ? text : text + "\n";
}

/** Deep equality of parsed documents. Dates are compared by their text. */
function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Date || b instanceof Date) return String(a) === String(b);
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length &&
      a.every((item, i) => isSame(item, b[i]));
  }
  if (typeof a !== "object" || a === null) return Object.is(a, b);
  if (typeof b !== "object" || b === null || Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every((key) => isSame((a as Document)[key], (b as Document)[key]));
}
