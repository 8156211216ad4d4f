/**
 * Names in other letters: most volumes of macOS take `.MCP.json` for `.mcp.json`, and Seatbelt compares names byte by byte.
 * What is there it knows by the name that it has; what is missing could be made under any of its spellings.
 */
import { type AbsPath, ancestors, basename } from "../base/paths.ts";

/** Letters that are no ASCII may stand for some that are: the sign of Kelvin for a k, a ligature for f and i. */
const OTHER_LETTERS = "[^ -~]+";

/** A pattern of the profile language: the entries of a directory that have one of these names, in any letters. No name is in it as it is. */
export function spellingsIn(dir: AbsPath, names: readonly AbsPath[]): string {
  // How deep they lie is enough: a second condition says below what.
  const above = ancestors(dir).filter((path) => path !== "/")
    .map(() => "/[^/]+").join("");
  const spellings = new Set(names.map((path) => spellingsOf(basename(path))));
  return `^${above}/(${[...spellings].join("|")})$`;
}

function spellingsOf(name: string): string {
  return [...name].map((letter) => {
    if (/[a-z]/i.test(letter)) {
      const either = `[${letter.toLowerCase()}${letter.toUpperCase()}]`;
      return `(${either}|${OTHER_LETTERS})`;
    }
    if (/[0-9_-]/.test(letter)) return letter;
    return letter === "." ? "[.]" : "[^/]*";
  }).join("");
}
