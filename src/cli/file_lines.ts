/** Words for files that are not as they should be. */

const WORDS: Readonly<Record<string, string>> = {
  added: "added",
  removed: "missing",
  changed: "changed",
  replaced: "replaced by something else",
  mode: "of another mode",
};
/** Most files that are named of one tree. */
const SHOWN = 20;

/** One line for each file, indented; `.` is the tree itself. */
export function fileLines(
  files: readonly { readonly path: string; readonly change: string }[],
): string[] {
  const lines = files.slice(0, SHOWN).map(({ path, change }) =>
    `      ${path}: ${WORDS[change] ?? change}`
  );
  const more = files.length - SHOWN;
  return more > 0 ? [...lines, `      and ${more} more`] : lines;
}
