/** `[[plugins.enabled]]` and `[[skills.enabled]]`. */
import { type ItemName, nameProblem } from "../base/ids.ts";
import { quote } from "../base/text.ts";
import type { KeyPath, Reader } from "./reader.ts";
import type { Entry, EntryKind } from "./schema.ts";

/** Keys of an entry, in the order in which they are written. */
export const ENTRY_KEYS = ["name", "source", "subpath"] as const;

/** Keys of `[plugins]` and `[skills]`. */
export const SECTION_KEYS = ["enabled"] as const;

/** Reads `[plugins]` or `[skills]`: no name twice, in any case. */
export function parseEntries(
  reader: Reader,
  value: unknown,
  kind: EntryKind,
): Entry[] {
  const section = reader.table(value, [kind], SECTION_KEYS);
  const seen = new Set<string>();
  return reader.list(section["enabled"], [kind, "enabled"]).map((item, i) => {
    const path = [kind, "enabled", i];
    const entry = parseEntry(reader, item, path);
    if (seen.has(entry.name.toLowerCase())) {
      reader.fail([...path, "name"], `${quote(entry.name)} is declared twice`);
    }
    seen.add(entry.name.toLowerCase());
    return entry;
  });
}

function parseEntry(reader: Reader, item: unknown, path: KeyPath): Entry {
  const table = reader.table(item, path, ENTRY_KEYS);
  const name = reader.required(table["name"], [...path, "name"]);
  return {
    name: parseName(reader, name, [...path, "name"]),
    source: reader.required(table["source"], [...path, "source"]),
    subpath: parseSubpath(reader, table["subpath"], [...path, "subpath"]),
  };
}

/** `name` as the name of an item. */
export function parseName(
  reader: Reader,
  name: string,
  path: KeyPath,
): ItemName {
  const problem = nameProblem(name);
  if (problem === undefined) return name as ItemName;
  reader.fail(path, `the name ${quote(name)} cannot be used: ${problem}`);
}

/** `value` as a directory inside a source; undefined when absent. */
export function parseSubpath(
  reader: Reader,
  value: unknown,
  path: KeyPath,
): string | undefined {
  const subpath = reader.string(value, path);
  if (subpath === undefined || isPlainSubpath(subpath)) return subpath;
  reader.fail(
    path,
    `the subpath ${quote(subpath)} is not a plain relative path`,
    "Use a directory inside the source, without . and ..",
  );
}

function isPlainSubpath(text: string): boolean {
  return text !== "" && !text.includes("\\") &&
    text.split("/").every((part) =>
      part !== "" && part !== "." && part !== ".."
    );
}
