/** Where the parts of a TOML document stand: the parser tells values, not places. The document is valid; a scan never checks. */
import { parse } from "smol-toml";
import { BYTE_ORDER_MARK } from "./toml.ts";

/** Keys, and indexes into lists. */
export type Path = readonly (string | number)[];

/** Offsets into the text, the end not included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One or more whole lines with their line break. The pieces of a document, one after the other, are its text. */
export type Piece =
  | Span & { readonly kind: "blank" | "comment" }
  | Span & {
    readonly kind: "header";
    /** Ends with its index when it is `[[…]]`. */
    readonly path: Path;
  }
  | Span & {
    readonly kind: "pair";
    /** With the path of its table. */
    readonly path: Path;
    readonly value: Span;
    /** Where the header of its table starts; undefined at the top. */
    readonly header: number | undefined;
  };

/** An element of a list, or a key with its value in an inline table. */
export interface Item extends Span {
  /** Empty in a list. */
  readonly key: readonly string[];
  readonly value: Span;
  /** Where the comma behind it stands; undefined when there is none. */
  readonly comma: number | undefined;
}

/** The pieces of `text`, in order. */
export function scan(text: string): Piece[] {
  const cursor = new Cursor(text, startOf(text));
  const pieces: Piece[] = [];
  while (!cursor.isAtEnd) pieces.push(cursor.piece());
  return pieces;
}

/** The items of the list or inline table at `span`. */
export function itemsOf(text: string, span: Span): Item[] {
  const cursor = new Cursor(text, span.start);
  return cursor.items(text[span.start] === "[" ? "]" : "}");
}

function startOf(text: string): number {
  return text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
}

/** Reads on from a place in the text. */
class Cursor {
  readonly #text: string;
  #at: number;
  #header: (Piece & { kind: "header" }) | undefined;
  /** Newest index of each list of tables, by its path. */
  readonly #counts = new Map<string, number>();

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  piece(): Piece {
    const start = this.#at;
    this.#skip(/[ \t]*/y);
    const first = this.#text[this.#at];
    if (first === "#") return { kind: "comment", start, end: this.#endLine() };
    if (first === "[") return this.#header = this.#readHeader(start);
    if (first === undefined || first === "\n" || first === "\r") {
      return { kind: "blank", start, end: this.#endLine() };
    }
    const path = [...this.#header?.path ?? [], ...this.#key()];
    const value = this.#assigned();
    const header = this.#header?.start;
    return { kind: "pair", start, end: this.#endLine(), path, value, header };
  }

  #readHeader(start: number): Piece & { kind: "header" } {
    const isArray = this.#text.startsWith("[[", this.#at);
    this.#at += isArray ? 2 : 1;
    const path: (string | number)[] = [];
    const keys = this.#key();
    for (const [i, key] of keys.entries()) {
      path.push(key);
      const id = JSON.stringify(path);
      if (isArray && i === keys.length - 1) {
        this.#counts.set(id, (this.#counts.get(id) ?? -1) + 1);
      }
      const index = this.#counts.get(id);
      if (index !== undefined) path.push(index);
    }
    this.#at += isArray ? 2 : 1;
    return { kind: "header", start, end: this.#endLine(), path };
  }

  /** From the opening bracket to behind the closing one. */
  items(close: "]" | "}"): Item[] {
    const items: Item[] = [];
    this.#at++;
    this.#gap();
    while (this.#text[this.#at] !== close && !this.isAtEnd) {
      const start = this.#at;
      const key = close === "}" ? this.#key() : [];
      const value = close === "}" ? this.#assigned() : this.#value();
      this.#gap();
      const hasComma = this.#text[this.#at] === ",";
      const comma = hasComma ? this.#at++ : undefined;
      items.push({ start, end: value.end, key, value, comma });
      this.#gap();
    }
    this.#at++;
    return items;
  }

  #assigned(): Span {
    this.#skip(/[ \t]*=[ \t]*/y);
    return this.#value();
  }

  #value(): Span {
    const start = this.#at;
    const first = this.#text[start];
    if (first === "[") this.items("]");
    else if (first === "{") this.items("}");
    else if (first === '"' || first === "'") this.#string();
    else this.#skip(/[^,\]}#\r\n]*[^,\]}#\r\n \t]/y);
    // A scan that stands still would never end.
    if (this.#at === start) this.#at++;
    return { start, end: this.#at };
  }

  #string(): void {
    const skipped = this.#skip(/"""(?:\\[^]|[^\\])*?"{3,5}/y) ||
      this.#skip(/'''[^]*?'{3,5}/y) ||
      this.#skip(/"(?:\\.|[^"\\\n])*"/y) || this.#skip(/'[^'\n]*'/y);
    if (!skipped) this.#at++;
  }

  #key(): string[] {
    const path: string[] = [];
    do {
      this.#skip(/\.?[ \t]*/y);
      const start = this.#at;
      if (this.#text[start] === '"' || this.#text[start] === "'") {
        this.#string();
        path.push(unquote(this.#text.slice(start, this.#at)));
      } else {
        this.#skip(/[A-Za-z0-9_-]*/y);
        path.push(this.#text.slice(start, this.#at));
      }
      this.#skip(/[ \t]*/y);
    } while (this.#text[this.#at] === ".");
    return path;
  }

  /** White space, line breaks and comments. */
  #gap(): void {
    this.#skip(/(?:[ \t\r\n]+|#[^\n]*)*/y);
  }

  /** To behind the line break; returns where that is. */
  #endLine(): number {
    this.#skip(/[^\n]*\n?/y);
    return this.#at;
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    this.#at += match?.[0].length ?? 0;
    return match !== null;
  }
}

function unquote(raw: string): string {
  return raw.startsWith("'")
    ? raw.slice(1, -1)
    : Object.keys(parse(`${raw} = 0`))[0] ?? raw;
}
