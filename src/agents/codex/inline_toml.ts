/** Values as TOML on one line, for `codex -c key=value`. */

/** Strings, booleans, finite numbers, and lists and tables of them. */
export function inlineToml(value: unknown): string {
  if (typeof value === "string") return tomlText(value);
  if (typeof value === "boolean" || Number.isFinite(value)) return `${value}`;
  if (Array.isArray(value)) return `[${value.map(inlineToml).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, part]) =>
      `${tomlText(key)}=${inlineToml(part)}`
    );
    return `{${entries.join(",")}}`;
  }
  throw new Error(`no TOML value: ${typeof value}`);
}

/** JSON's escapes are TOML's; DEL alone has to be escaped too. */
function tomlText(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}
