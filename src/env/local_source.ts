/** Sources of plugins and skills that are directories on this machine. */
import { type AbsPath, join, resolveFrom } from "../base/paths.ts";

/**
 * The path of a local source: relative to the manifest's directory `baseDir`, `~/…`, or `file:`; undefined for anything with
 * another scheme and for `name@marketplace`.
 */
export function localSourcePath(
  source: string,
  { baseDir, home }: { baseDir: AbsPath; home: () => AbsPath },
): AbsPath | undefined {
  const text = source.startsWith("file://")
    ? decoded(source.slice(7))
    : source.replace(/^file:/, "");
  if (text === source && /^([A-Za-z][A-Za-z0-9+.-]+:|[^/]+@)/.test(source)) {
    return undefined;
  }
  return text.startsWith("~/")
    ? join(home(), text.slice(2))
    : resolveFrom(baseDir, text);
}

/** Percent-encoding undone; a text that is none stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURI(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return text;
  }
}
