/** Changes to TOML text at known places. Everything else stays as it is, to the byte. */
import { type Item, itemsOf, type Piece, type Span } from "./edit_scan.ts";

/** The line break that `text` uses. */
export function lineBreak(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** `text` with a line break at its end, unless it is empty. */
export function endWithLineBreak(text: string): string {
  return text === "" || text.endsWith("\n") ? text : text + lineBreak(text);
}

/** `text` with `put` in place of `span`. */
export function replace(text: string, span: Span, put: string): string {
  return text.slice(0, span.start) + put + text.slice(span.end);
}

/** `text` without the pieces for which `isGone` holds; of the blank lines around a gap one run stays. Comment lines stay if they are not named. */
export function removePieces(
  text: string,
  pieces: readonly Piece[],
  isGone: (piece: Piece) => boolean,
): string {
  const kept: Piece[] = [];
  let isBehindGap = false;
  for (const piece of pieces) {
    const isBlank = piece.kind === "blank";
    const afterBlank = (kept.at(-1)?.kind ?? "blank") === "blank";
    if (isGone(piece)) isBehindGap = true;
    else if (!(isBlank && isBehindGap && afterBlank)) {
      kept.push(piece);
      isBehindGap &&= isBlank;
    }
  }
  while (isBehindGap && kept.at(-1)?.kind === "blank") kept.pop();
  const mark = text.slice(0, pieces[0]?.start);
  return mark + kept.map(({ start, end }) => text.slice(start, end)).join("");
}

/** `text` with a block of whole lines put in at `at`, blank lines around it. */
export function insertBlock(text: string, at: number, block: string): string {
  const newline = lineBreak(text);
  const before = endWithLineBreak(text.slice(0, at));
  const after = text.slice(at);
  const isFirst = before.replace(/^\ufeff/, "").trim() === "";
  const open = isFirst || /\n[ \t]*\r?\n$/.test(before) ? "" : newline;
  const close = after === "" || /^[ \t]*\r?\n/.test(after) ? "" : newline;
  return before + open + block.replaceAll("\n", newline) + close + after;
}

/** `text` with `element` at the end of the list at `span`, laid out like the one before it. */
export function appendElement(
  text: string,
  span: Span,
  element: string,
): string {
  const last = itemsOf(text, span).at(-1);
  if (last === undefined) return startList(text, span, element);
  const indent = indentOf(text, last.start);
  const behind = (last.comma ?? last.end - 1) + 1;
  if (indent === undefined || indent.start < span.start) {
    const comma = last.comma === undefined ? "," : "";
    return replace(text, { start: behind, end: behind }, `${comma} ${element}`);
  }
  const line = lineBreak(text) + text.slice(indent.start, indent.end) + element;
  const end = endOfLine(text, behind);
  return last.comma === undefined
    ? text.slice(0, behind) + "," + text.slice(behind, end) + line +
      text.slice(end)
    : replace(text, { start: end, end }, line + ",");
}

function startList(text: string, span: Span, element: string): string {
  const inner = text.slice(span.start + 1, span.end - 1);
  if (!inner.includes("#")) return replace(text, span, `[${element}]`);
  const at = span.start + 1;
  const line = `${lineBreak(text)}  ${element},`;
  return replace(text, { start: at, end: at }, line);
}

/** `text` without the element at `index` of the list at `span`. A remark on its line goes with it, comment lines stay. */
export function removeElement(text: string, span: Span, index: number): string {
  const items = itemsOf(text, span);
  const item = items[index]!;
  const inner = text.slice(span.start, span.end);
  if (
    items.length === 1 &&
    !/#/.test(inner.replace(text.slice(item.start, item.end), ""))
  ) {
    return replace(text, span, "[]");
  }
  return cut(text, [
    ...commaSpan(item, items[index - 1]),
    elementSpan(text, item, items[index + 1]),
  ]);
}

/** The comma that goes with an element: its own, or the one before the last. */
function commaSpan(item: Item, previous: Item | undefined): Span[] {
  const comma = item.comma ?? previous?.comma;
  return comma === undefined ? [] : [{ start: comma, end: comma + 1 }];
}

/** An element with the white space that has no use without it: its lines when nothing else is on them. */
function elementSpan(
  text: string,
  item: Item,
  next: Item | undefined,
): Span {
  const isNear = item.comma !== undefined &&
    text.slice(item.end, item.comma).trim() === "" &&
    !text.slice(item.end, item.comma).includes("\n");
  const behind = isNear ? item.comma! + 1 : item.end;
  const indent = indentOf(text, item.start);
  const rest = /[ \t]*(?:#[^\n]*)?\r?\n/y;
  rest.lastIndex = behind;
  const line = rest.exec(text);
  if (indent !== undefined && line !== null) {
    return { start: indent.start, end: behind + line[0].length };
  }
  if (next !== undefined) {
    return { start: item.start, end: skipSpace(text, behind) };
  }
  const start = text.slice(0, item.start).trimEnd().length;
  const isSameLine = !text.slice(start, item.start).includes("\n");
  return { start: isSameLine ? start : item.start, end: behind };
}

function cut(text: string, spans: readonly Span[]): string {
  let out = "";
  let at = 0;
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    out += text.slice(at, Math.max(at, span.start));
    at = Math.max(at, span.end);
  }
  return out + text.slice(at);
}

/** `text` without the key at `index` of the inline table at `span`. */
export function removeMember(text: string, span: Span, index: number): string {
  const items = itemsOf(text, span);
  const item = items[index]!;
  const [previous, next] = [items[index - 1], items[index + 1]];
  return replace(text, {
    start: previous?.end ?? item.start,
    end: previous === undefined ? next?.start ?? item.end : item.end,
  }, "");
}

/** The white space before `at` on its line; undefined when something else stands there. */
export function indentOf(text: string, at: number): Span | undefined {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  return text.slice(start, at).trim() === "" ? { start, end: at } : undefined;
}

function skipSpace(text: string, at: number): number {
  return at + /^[ \t]*/.exec(text.slice(at))![0].length;
}

/** Where the line ends that holds `at`, when only a comment follows; else `at`. */
function endOfLine(text: string, at: number): number {
  const rest = /[ \t]*(?:#[^\r\n]*)?(?=\r?\n)/y;
  rest.lastIndex = at;
  return at + (rest.exec(text)?.[0].length ?? 0);
}
