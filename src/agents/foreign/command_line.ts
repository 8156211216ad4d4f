/** Command lines that stand in one text. */

const WORD = /\s*((?:[^\s"'\\]|\\[^]|"(?:[^"\\]|\\[^])*"|'[^']*')+)/y;
/** What only a shell would understand. */
const SHELL_ONLY = /[|&;<>`\n]|\$\(/;

/**
 * The words of a command line; the whole text as one where it names a file with spaces by its absolute path. Undefined when
 * only a shell could read it.
 */
export function splitCommand(line: string): string[] | undefined {
  const text = line.trim();
  if (!/\s/.test(text)) return [text];
  if (/^([/~]|[A-Za-z]:[\\/])/.test(text)) return [text];
  if (SHELL_ONLY.test(text)) return undefined;
  const words: string[] = [];
  WORD.lastIndex = 0;
  while (WORD.lastIndex < text.length) {
    const match = WORD.exec(text);
    if (match === null) return undefined;
    words.push(unquoted(match[1]!));
  }
  return words;
}

function unquoted(word: string): string {
  return word.replace(
    /"((?:[^"\\]|\\[^])*)"|'([^']*)'|\\([^])/g,
    (_, double?: string, single?: string, escaped?: string) =>
      double?.replace(/\\(["\\$`])/g, "$1") ?? single ?? escaped ?? "",
  );
}
