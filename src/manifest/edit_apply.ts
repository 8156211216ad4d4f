/** One change to TOML text, wherever its place is written: in a table, as a dotted key, inside a list or an inline table. */
import { stringify } from "smol-toml";
import {
  itemsOf,
  type Path,
  type Piece,
  scan,
  type Span,
} from "./edit_scan.ts";
import {
  appendElement,
  endWithLineBreak,
  insertBlock,
  lineBreak,
  removeElement,
  removeMember,
  removePieces,
  replace,
} from "./edit_splice.ts";
import { type Change, isTable, parseOrNone } from "./edit_values.ts";
import { escapeControl } from "../base/text.ts";
import { tomlKey, tomlString } from "./toml.ts";

/** `text` after `change`; unchanged when the place is not found. The caller compares. */
export function applyChange(text: string, change: Change): string {
  switch (change.verb) {
    case "set":
      return setValue(text, change.path, change.value);
    case "add":
      return addKey(text, change.path, change.value);
    case "append":
      return append(text, change.path, change.value);
    case "remove":
      return remove(text, change.path);
  }
}

type Placed = Piece & { readonly path: Path };

function placed(text: string): Placed[] {
  return scan(text).filter((piece): piece is Placed => "path" in piece);
}

/** Whether `path` is `base` or lies below it. */
function isBelow(path: Path, base: Path): boolean {
  return base.every((key, i) => path[i] === key);
}

function isEqual(a: Path, b: Path): boolean {
  return a.length === b.length && isBelow(a, b);
}

/** Where the value at `path` stands; undefined when it has no one place, like a table with a header. */
function spanOf(text: string, path: Path): Span | undefined {
  const pair = placed(text).find((piece) =>
    piece.kind === "pair" && isBelow(path, piece.path)
  );
  if (pair?.kind !== "pair") return undefined;
  return inside(text, pair.value, path.slice(pair.path.length));
}

function inside(text: string, span: Span, path: Path): Span | undefined {
  if (path.length === 0) return span;
  const [first] = path;
  if (typeof first === "number") {
    const item = text[span.start] === "[" && itemsOf(text, span)[first];
    return item ? inside(text, item.value, path.slice(1)) : undefined;
  }
  if (text[span.start] !== "{") return undefined;
  const item = itemsOf(text, span).find(({ key }) => isBelow(path, key));
  return item && inside(text, item.value, path.slice(item.key.length));
}

function setValue(text: string, path: Path, value: unknown): string {
  const span = spanOf(text, path);
  if (span === undefined) return text;
  const old = text.slice(span.start, span.end);
  // Single quotes stay where they can.
  const literal = `'${value}'`;
  const isLiteral = typeof value === "string" && old.startsWith("'") &&
    escapeControl(value) === value &&
    parseOrNone(`v = ${literal}`)?.["v"] === value;
  return replace(text, span, isLiteral ? literal : inline(value));
}

function remove(text: string, path: Path): string {
  const last = path.at(-1);
  const parent = spanOf(text, path.slice(0, -1));
  if (parent === undefined) {
    return removePieces(
      text,
      scan(text),
      (piece) => "path" in piece && isBelow(piece.path, path),
    );
  }
  if (typeof last === "number") return removeElement(text, parent, last);
  const index = itemsOf(text, parent).findIndex(({ key }) =>
    key.length === 1 && key[0] === last
  );
  return index < 0 ? text : removeMember(text, parent, index);
}

function append(text: string, path: Path, value: unknown): string {
  const list = spanOf(text, path);
  if (list !== undefined) return appendElement(text, list, inline(value));
  const block = `[[${showKey(path)}]]\n` + rows(value);
  return insertBlock(text, endOf(text, path), block);
}

function addKey(text: string, path: Path, value: unknown): string {
  const parent = path.slice(0, -1);
  const table = spanOf(text, parent);
  if (table !== undefined) {
    const key = showKey(path.slice(-1));
    return addMember(text, table, `${key} = ${inline(value)}`);
  }
  const above = lineInTable(text, parent);
  const isDotted = above?.kind === "pair" && parent.length > above.base.length;
  if (hasBlock(value) && !isDotted) {
    return insertBlock(text, endOf(text, parent), blockOf(path, value));
  }
  const key = showKey(path.slice(above?.base.length ?? -1));
  const line = `${key} = ${inline(value)}`;
  if (above !== undefined) return insertLine(text, above, line);
  return parent.length === 0
    ? insertBlock(text, startOfTables(text), line + "\n")
    : insertBlock(text, endOf(text, parent), `[${showKey(parent)}]\n${line}\n`);
}

/** The last key of the table at `path`, or else its header, and the path from which keys are written there. */
function lineInTable(
  text: string,
  path: Path,
): (Placed & { readonly base: Path }) | undefined {
  const pieces = placed(text).map((piece, _, all) => ({
    ...piece,
    base: piece.kind === "pair" ? headerPath(all, piece.header) : piece.path,
  }));
  // Dotted keys make a table without a header: `a.b = 1`.
  return pieces.findLast((piece) =>
    piece.kind === "pair" && isBelow(piece.path, path) &&
    piece.base.length <= path.length
  ) ?? pieces.find((piece) =>
    piece.kind === "header" && isEqual(piece.path, path)
  );
}

function hasBlock(value: unknown): boolean {
  return isTable(value) ||
    Array.isArray(value) && value.length > 0 && value.every(isTable);
}

/** Tables of tables need no header of their own. */
function blockOf(path: Path, value: unknown): string {
  if (Array.isArray(value)) {
    return value.map((item) => `[[${showKey(path)}]]\n` + rows(item)).join(
      "\n",
    );
  }
  const members = Object.entries(value as object);
  const isOnlyBlocks = members.length > 0 &&
    members.every(([, item]) => hasBlock(item));
  return isOnlyBlocks
    ? members.map(([key, item]) => blockOf([...path, key], item)).join("\n")
    : `[${showKey(path)}]\n` + rows(value);
}

function rows(value: unknown): string {
  return Object.entries(value as object).map(([key, item]) =>
    `${tomlKey(key)} = ${inline(item)}\n`
  ).join("");
}

function headerPath(
  pieces: readonly Placed[],
  start: number | undefined,
): Path {
  return pieces.find((piece) =>
    piece.start === start && piece.kind === "header"
  )
    ?.path ?? [];
}

function addMember(text: string, table: Span, member: string): string {
  const last = itemsOf(text, table).at(-1);
  return last === undefined
    ? replace(text, table, `{ ${member} }`)
    : replace(text, { start: last.end, end: last.end }, `, ${member}`);
}

/** A line below `above`, indented like it. */
function insertLine(text: string, above: Piece, line: string): string {
  const before = endWithLineBreak(text.slice(0, above.end));
  const indent = /^[ \t]*/.exec(text.slice(above.start))![0];
  return before + indent + line + lineBreak(text) + text.slice(above.end);
}

/**
 * Where the tables at and below `path` end: behind their last key, and behind the comment lines that follow it and do not
 * lead to another table. The end of the text when there is none.
 */
function endOf(text: string, path: Path): number {
  const pieces = scan(text);
  const last = path.length === 0
    ? -1
    : pieces.findLastIndex((piece) =>
      "path" in piece && isBelow(piece.path, path)
    );
  if (last < 0) return text.length;
  let at = last;
  while (pieces[at + 1]?.kind === "comment") at++;
  const next = pieces[at + 1];
  const isOwn = next === undefined || next.kind === "blank";
  return pieces[isOwn ? at : last]!.end;
}

/** In front of the first table, behind the comment at the top of the file. */
function startOfTables(text: string): number {
  const pieces = scan(text);
  const first = pieces.find(({ kind }) => kind !== "comment");
  return first?.kind === "blank" ? first.end : first?.start ?? text.length;
}

function showKey(path: Path): string {
  return path.filter((key) => typeof key === "string").map(tomlKey).join(".");
}

/** `value` as it stands behind an equals sign. */
function inline(value: unknown): string {
  if (typeof value === "string") return tomlString(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (!isTable(value)) {
    return stringify({ v: value }).slice("v = ".length).trim();
  }
  const members = Object.entries(value).map(([key, item]) =>
    `${tomlKey(key)} = ${inline(item)}`
  );
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}
