/** Changing values in TOML text: comments, order, layout and quoting stay. */
import { parse } from "smol-toml";
import { AppError } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import { applyChange } from "./edit_apply.ts";
import { scan } from "./edit_scan.ts";
import { endWithLineBreak } from "./edit_splice.ts";
import {
  changesBetween,
  type Document,
  isSame,
  parseOrNone,
} from "./edit_values.ts";

/** How an edit that cannot be made is reported. */
export interface EditOptions {
  /** Names the document. */
  readonly file: string;
  readonly code: "MANIFEST_INVALID" | "CONFIG_INVALID";
  /** Default: to make the change by hand. */
  readonly hint?: string | undefined;
}

/**
 * `text` after `edit` changed its values. What goes leaves the comment lines around it. The result is parsed again and compared
 * with what was meant, and no comment line may be missing. Throws `MANIFEST_INVALID` or `CONFIG_INVALID` when something would
 * be lost.
 */
export function editToml(
  text: string,
  edit: (document: Document) => void,
  { file, code, hint }: EditOptions,
): string {
  const wanted: Document = parse(text);
  edit(wanted);
  const changes = changesBetween(parse(text), wanted);
  const result = endWithLineBreak(changes.reduce(applyChange, text));
  const isRight = isSame(parseOrNone(result), wanted, { lenient: true });
  if (isRight && keepsComments(text, result)) return result;
  throw new AppError(
    code,
    `Cannot edit ${
      quote(file)
    }: the change cannot be made without losing something`,
    { hint: hint ?? "Make the change by hand" },
  );
}

/** Whether every comment that has a line of its own outside of values is still there. */
function keepsComments(before: string, after: string): boolean {
  const left = commentLines(after);
  return commentLines(before).every((comment) => {
    const index = left.indexOf(comment);
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  });
}

function commentLines(text: string): string[] {
  return scan(text).filter(({ kind }) => kind === "comment").map((piece) =>
    text.slice(piece.start, piece.end).trim()
  );
}
