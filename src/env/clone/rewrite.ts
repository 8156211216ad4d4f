/** Paths of a directory that moves, in texts. */
import { relative } from "node:path";
import { type AbsPath, isBelow } from "../../base/paths.ts";

/** A directory's old and new place. */
export interface Move {
  /** Names of the old place: as written, and with links resolved. */
  readonly from: readonly AbsPath[];
  readonly to: AbsPath;
  /** For `~`, `$HOME` and `${HOME}`; undefined leaves those alone. */
  readonly home: AbsPath | undefined;
}

/** What kind of text is rewritten: a shell command needs quoting where the new path has special characters. */
export type TextKind = "plain" | "command" | "markdown";

interface Form {
  readonly text: string;
  readonly replacement: string;
  readonly isAbsolute: boolean;
}

/** A match stands at the start of a path: not behind a part of another one, but behind `-I` it does. */
const START = String.raw`(?:(?<![\w.~-])|(?<=(?:^|[\s"'])-[A-Za-z]{1,2}))`;
/** `.claude` is not `.claude.json` and not `.claude-old`, but may end a sentence. */
const END = String.raw`(?![\p{L}\p{N}_-]|\.[\p{L}\p{N}_])`;

/** Rewrites texts for one move. All forms are replaced in one pass, so that a new place inside the old one is safe. */
export class Rewriter {
  readonly #forms: readonly Form[];
  readonly #move: Move;

  constructor(move: Move) {
    this.#move = move;
    this.#forms = formsOf(move);
  }

  /** `text` with absolute paths rewritten only: what a program wrote. */
  absolute(text: string): string {
    return this.#replace(
      text,
      this.#forms.filter((f) => f.isAbsolute),
      "plain",
    );
  }

  /** `text` with `~`, `$HOME` and `${HOME}` rewritten too: what a person wrote. */
  all(text: string, kind: TextKind = "plain"): string {
    return this.#replace(text, this.#forms, kind);
  }

  /** Whether bytes hold the old place; for files that cannot be rewritten. */
  isIn(bytes: Uint8Array): boolean {
    const encoder = new TextEncoder();
    return this.#move.from.some((path) =>
      indexOfBytes(bytes, encoder.encode(path)) >= 0
    );
  }

  /** Paths below the old place that `text` speaks of, relative to it; may name things that are not there. */
  references(text: string): string[] {
    const forms = [
      ...this.#forms.map((form) => form.text),
      "$CLAUDE_CONFIG_DIR",
      "${CLAUDE_CONFIG_DIR}",
    ];
    const found = new Set<string>();
    const pattern = new RegExp(START + alternatives(forms) + "[/\\\\]", "gu");
    for (const match of text.matchAll(pattern)) {
      const end = match.index + match[0].length;
      for (const path of candidates(text, match.index, end)) found.add(path);
    }
    return [...found];
  }

  #replace(text: string, forms: readonly Form[], kind: TextKind): string {
    const pattern = new RegExp(
      START + alternatives(forms.map((f) => f.text)) + END,
      "gu",
    );
    const byText = new Map(forms.map((form) => [form.text, form]));
    return text.replace(pattern, (match: string, at: number) => {
      const { replacement: path, isAbsolute } = byText.get(match)!;
      // The login stays where it is, and every env uses it.
      const next = text.slice(at + match.length, at + match.length + 13);
      if (!isAbsolute && next === "/.credentials") return match;
      // In a permission rule `/x` is relative and `//x` is absolute.
      const isRule = text[at - 1] === "(" && path.startsWith("/") &&
        !match.startsWith("/");
      return quoted(isRule ? "/" + path : path, { text, at, kind });
    });
  }
}

function formsOf({ from, to, home }: Move): Form[] {
  const forms: Form[] = [];
  for (const old of new Set(from)) {
    forms.push({ text: old, replacement: to, isAbsolute: true });
    const inJson = JSON.stringify(old).slice(1, -1);
    if (inJson !== old) {
      const replacement = JSON.stringify(to).slice(1, -1);
      forms.push({ text: inJson, replacement, isAbsolute: true });
    }
    if (home === undefined || !isBelow(old, home)) continue;
    const oldRest = relative(home, old).replaceAll("\\", "/");
    const newRest = isBelow(to, home)
      ? relative(home, to).replaceAll("\\", "/")
      : undefined;
    for (const sign of ["~", "$HOME", "${HOME}"]) {
      const replacement = newRest === undefined ? to : `${sign}/${newRest}`;
      forms.push({
        text: `${sign}/${oldRest}`,
        replacement,
        isAbsolute: false,
      });
    }
  }
  return [...forms, ...forms.flatMap(escapedForm)];
}

/** A path with special characters as it stands unquoted in a shell command, where it was written so. */
function escapedForm(form: Form): Form[] {
  const text = shellEscape(form.text);
  if (text === form.text || form.text.includes("\\")) return [];
  return [{ ...form, text, replacement: shellEscape(form.replacement) }];
}

/** `path` for a place outside of quotes; a leading sign for HOME stays one. */
function shellEscape(path: string): string {
  const sign = signOf(path);
  return sign + path.slice(sign.length).replace(/[^\w@%+=:,./~-]/g, "\\$&");
}

function signOf(path: string): string {
  return /^(~|\$HOME|\$\{HOME\})(?=\/)/.exec(path)?.[0] ?? "";
}

function alternatives(texts: readonly string[]): string {
  const escaped = [...texts].sort((a, b) => b.length - a.length)
    .map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  return `(?:${escaped.join("|")})`;
}

/** `path` as it must stand at that place of the text. */
function quoted(
  path: string,
  place: { text: string; at: number; kind: TextKind },
): string {
  if (place.kind === "plain" || shellEscape(path) === path) return path;
  if (place.kind === "markdown") {
    return place.text[place.at - 1] === "@"
      ? path.replaceAll(" ", "\\ ")
      : path;
  }
  const open = openQuote(place.text.slice(0, place.at));
  if (open === undefined) return shellEscape(path);
  const sign = signOf(path);
  const rest = path.slice(sign.length);
  return sign +
    (open === "'"
      ? rest.replaceAll("'", "'\\''")
      : rest.replace(/["\\$`]/g, "\\$&"));
}

/** The quote that is open at the end of a shell text. */
function openQuote(text: string): '"' | "'" | undefined {
  let open: '"' | "'" | undefined;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === "\\" && open !== "'") i++;
    else if (open === undefined && (char === '"' || char === "'")) open = char;
    else if (char === open) open = undefined;
  }
  return open;
}

/** What a reference that begins at `start` and whose path begins at `from` may mean: up to the next space, or to the closing quote. */
function candidates(text: string, start: number, from: number): string[] {
  const rest = text.slice(from, from + 4096);
  const plain = /^[^\s"'`<>|;&()*?{}[\],]*/.exec(rest)![0];
  const found = [plain, plain.replace(/[.:!]+$/, "")];
  const quote = text[start - 1];
  if (quote === '"' || quote === "'" || quote === "`") {
    const end = rest.search(/["'`\n]/);
    if (end > 0) found.push(rest.slice(0, end));
  }
  return found.map((path) => path.replace(/[/\\]+$/, ""))
    .filter((path) => path !== "");
}

function indexOfBytes(bytes: Uint8Array, part: Uint8Array): number {
  const first = part[0]!;
  for (
    let at = bytes.indexOf(first);
    at >= 0;
    at = bytes.indexOf(first, at + 1)
  ) {
    let i = 1;
    while (i < part.length && bytes[at + i] === part[i]) i++;
    if (i === part.length) return at;
  }
  return -1;
}
