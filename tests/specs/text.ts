/** Comparing output with what a spec expects. */

/** Placeholder → what it stands for in one case. */
export type Places = Readonly<Record<string, string>>;

/** `text` with placeholders filled in. */
export function fillIn(text: string, places: Places): string {
  return text.replace(/\[[A-Z_]+\]/g, (name) => places[name] ?? name);
}

/** `text` with paths and versions replaced by their placeholders, longest first. */
export function generalise(text: string, places: Places): string {
  const known = Object.entries(places)
    .filter(([, value]) => value !== "")
    .sort(([, a], [, b]) => b.length - a.length);
  let out = text;
  for (const [name, value] of known) out = out.replaceAll(value, name);
  return out
    // By convention the projects of specs are called proj.
    .replace(/\b(proj-)[0-9a-f]{8}\b/g, "$1[HASH]")
    .replace(/(\/installed\/)[0-9a-f]{16}(?=\/)/g, "$1[HASH]")
    .replace(/(\.tmp-)[0-9a-f-]{36}/g, "$1[ID]")
    .replace(/(\/state\/\.new-)\d+-\w+-[0-9a-f]+/g, "$1[ID]")
    .replace(/\b\d{8}T\d{9}Z-[0-9a-f]{6}\b/g, "[TX]")
    .replace(/(\/runs\/)\d+-\w+/g, "$1[RUN]")
    .replace(/(\(process )\d+(?=\))/g, "$1[PID]")
    .replace(/(AENV_LAUNCHER\W{1,4}(?:supervisor:)?)\d+/g, "$1[PID]");
}

/** Whether `actual` is `expected`; the last line end does not count. */
export function matches(actual: string, expected: string): boolean {
  const pattern = withoutEnd(expected)
    .split(/(\[WILDCARD\]|\[WILDLINE\])/)
    .map(toPattern)
    .join("");
  return new RegExp(`^${pattern}$`).test(withoutEnd(actual));
}

function toPattern(part: string): string {
  if (part === "[WILDCARD]") return "[^]*?";
  if (part === "[WILDLINE]") return "[^\\n]*?";
  return part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function withoutEnd(text: string): string {
  return text.replace(/\n$/, "");
}
