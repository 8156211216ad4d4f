/** JSON with comments and trailing commas, and where in the text a value stands. */

/** Parses `text`. Throws a SyntaxError. */
export function parseJsonc(text: string): unknown {
  return JSON.parse(blankComments(text).replace(/,(?=\s*[}\]])/g, " "));
}

/** `text` with comments blanked: every other character keeps its place. */
function blankComments(text: string): string {
  return text.replace(
    /("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (whole, literal) => literal ?? whole.replace(/[^\n]/g, " "),
  );
}

/** Start and end (exclusive) of a value in the text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the value at `path` stands; undefined when it is not written down. */
export function findValue(
  text: string,
  path: readonly (string | number)[],
): Span | undefined {
  return new Scanner(blankComments(text)).find(path);
}

/** Walks over valid JSON without building values. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  find(path: readonly (string | number)[]): Span | undefined {
    this.#skipSpace();
    const [head, ...rest] = path;
    if (head === undefined) {
      const start = this.#at;
      this.#skipValue();
      return { start, end: this.#at };
    }
    for (const key of this.#entries()) {
      if (key === head) return this.find(rest);
      this.#skipValue();
    }
    return undefined;
  }

  /** Yields each key or index with the position at its value; the caller moves past the value. */
  *#entries(): Generator<string | number> {
    const open = this.#text[this.#at];
    if (open !== "{" && open !== "[") return;
    this.#at++;
    for (let index = 0;; index++) {
      this.#skipSpace(",");
      if ("}]".includes(this.#text[this.#at] ?? "}")) break;
      yield open === "{" ? this.#key() : index;
    }
    this.#at++;
  }

  #key(): string {
    const start = this.#at;
    this.#skipValue();
    const key = JSON.parse(this.#text.slice(start, this.#at)) as string;
    this.#skipSpace(":");
    return key;
  }

  #skipValue(): void {
    this.#skipSpace();
    if ("{[".includes(this.#text[this.#at]!)) {
      for (const _ of this.#entries()) this.#skipValue();
      return;
    }
    const scalar = /"(?:\\.|[^"\\])*"|[^\s,\]}:]+/y;
    scalar.lastIndex = this.#at;
    this.#at += scalar.exec(this.#text)?.[0].length ?? 1;
  }

  #skipSpace(also = ""): void {
    while (/\s/.test(this.#text[this.#at] ?? "x") || this.#isOneOf(also)) {
      this.#at++;
    }
  }

  #isOneOf(characters: string): boolean {
    const c = this.#text[this.#at];
    return c !== undefined && characters.includes(c);
  }
}
