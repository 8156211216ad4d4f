/** `.gitattributes`: our files have the same bytes on every system. */
import { LOCK_FILE, MANIFEST_FILE } from "../base/dirs.ts";

/** `text` with the lines that are missing; undefined when none is. A file named in it already is left as the user has it. */
export function addAttributes(text: string): string | undefined {
  const named = text.split(/\r?\n/).map((line) =>
    line.trim().split(/\s/, 1)[0]?.replace(/^\//, "")
  );
  const missing = [MANIFEST_FILE, LOCK_FILE].filter((file) =>
    !named.includes(file)
  );
  if (missing.length === 0) return undefined;
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const start = text === "" || text.endsWith("\n") ? text : text + newline;
  return start +
    missing.map((file) => `${file} text eol=lf${newline}`).join("");
}
