/** Finds where a key stands in TOML text: the parser tells values, not places. */

/** 1-based line and column. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

const HEADER = /^\s*(\[\[?)\s*([^\]]*?)\s*\]\]?\s*$/;
const KEY = /^(\s*)([^=\s][^=]*?)\s*=/;

/**
 * The place of `path` in a valid document, or of its nearest enclosing key that is written down;
 * undefined for the document itself. Keys inside inline tables are found by their last name.
 */
export function locate(
  text: string,
  path: readonly (string | number)[],
): Place | undefined {
  if (path.length === 0) return undefined;
  const lines = blankStrings(text).split("\n");
  const counts = new Map<string, number>();
  let header: (string | number)[] = [];
  let best: { place: Place; depth: number } | undefined;
  function offer(found: (string | number)[], place: Place): void {
    // `[a.b]` is the place of `a` too, when nothing else is.
    const depth = Math.min(found.length, path.length);
    if (!isPrefix(found.slice(0, depth), path)) return;
    if (best === undefined || depth > best.depth) best = { place, depth };
  }
  for (const [index, line] of lines.entries()) {
    const heading = HEADER.exec(line);
    if (heading) {
      header = headerPath(heading[2]!, heading[1] === "[[", counts);
      const place = { line: index + 1, column: line.indexOf("[") + 1 };
      // `[[a]]` is the place of `a` as well as of its element.
      if (heading[1] === "[[") offer(header.slice(0, -1), place);
      offer(header, place);
      continue;
    }
    const key = KEY.exec(line);
    if (!key) continue;
    const found = [...header, ...splitKey(key[2]!)];
    offer(found, { line: index + 1, column: key[1]!.length + 1 });
  }
  return best &&
    (best.depth < path.length ? inside(lines, path, best.place) : best.place);
}

/** The path of a header; each part that is an array of tables gets the index of its newest element. */
function headerPath(
  text: string,
  isArray: boolean,
  counts: Map<string, number>,
): (string | number)[] {
  const keys = splitKey(text);
  const out: (string | number)[] = [];
  for (const [i, key] of keys.entries()) {
    out.push(key);
    const id = JSON.stringify(keys.slice(0, i + 1));
    if (i === keys.length - 1 && isArray) {
      counts.set(id, (counts.get(id) ?? -1) + 1);
    }
    const count = counts.get(id);
    if (count !== undefined) out.push(count);
  }
  return out;
}

/** Looks for the last name of `path` as an inline key at or after `start`. */
function inside(
  lines: string[],
  path: readonly (string | number)[],
  start: Place,
): Place {
  const name = path.findLast((part) => typeof part === "string");
  const pattern = new RegExp(
    `(^|[\\s{,.])(["']?)${escapeRegExp(String(name))}\\2\\s*=`,
  );
  for (let at = start.line - 1; at < lines.length; at++) {
    const line = lines[at]!;
    if (at >= start.line && HEADER.test(line)) break;
    const match = pattern.exec(line);
    if (match) {
      return { line: at + 1, column: match.index + match[1]!.length + 1 };
    }
  }
  return start;
}

function isPrefix(
  part: readonly (string | number)[],
  whole: readonly (string | number)[],
): boolean {
  return part.length <= whole.length &&
    part.every((key, i) => key === whole[i]);
}

function splitKey(text: string): string[] {
  const parts = text.match(/"(?:\\.|[^"\\])*"|'[^']*'|[^.\s"']+/g) ?? [];
  return parts.map((part) => part.replace(/^(["'])(.*)\1$/, "$2"));
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** `text` with comments and the contents of string values blanked, so that no text in them looks like a key. */
function blankStrings(text: string): string {
  return text.replace(
    /("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'[^'\n]*')(\s*[.=\]])?|#[^\n]*/g,
    (whole, literal: string | undefined, follows: string | undefined) => {
      // A quoted key is followed by a dot, an equals sign or the end of a header: keep it.
      if (
        literal !== undefined && follows !== undefined &&
        !follows.includes("\n")
      ) return whole;
      return whole.replace(/[^\n]/g, " ");
    },
  );
}
