/** JSON with comments and trailing commas, as editors write it. */

const STRING = '"[^"\\\\]*(?:\\\\[^][^"\\\\]*)*"';
const COMMENTS = new RegExp(`(${STRING})|//[^\\n]*|/\\*[^]*?\\*/`, "g");
const TRAILING = new RegExp(`(${STRING})|,(?=\\s*[}\\]])`, "g");

/** Parses `text`; comments and trailing commas only where they are allowed. Throws `SyntaxError`. */
export function parseJson(
  text: string,
  { comments }: { readonly comments: boolean },
): unknown {
  const bare = text.replace(/^\ufeff/, "");
  if (!comments) return JSON.parse(bare);
  return JSON.parse(
    bare.replace(COMMENTS, keepStrings).replace(TRAILING, keepStrings),
  );
}

function keepStrings(_: string, literal: string | undefined): string {
  return literal ?? " ";
}
