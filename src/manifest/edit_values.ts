/** Parsed TOML documents: comparing them, and what is to be done to make one of another. */
import { parse, TomlError } from "smol-toml";
import type { Path } from "./edit_scan.ts";

/** The document as plain values; an edit changes it in place. */
export type Document = Record<string, unknown>;

/** What to do at a path. `add` puts in a key that is not there, `append` an element at the end of a list. */
export type Change =
  | {
    readonly verb: "set" | "add" | "append";
    readonly path: Path;
    readonly value: unknown;
  }
  | { readonly verb: "remove"; readonly path: Path };

/** The document, or undefined when `text` is not one. */
export function parseOrNone(text: string): Document | undefined {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return undefined;
  }
}

/** Whether `value` is a table. */
export function isTable(value: unknown): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Date);
}

/** Deep equality of plain values; dates are compared by their text. With `lenient`, what is empty is like what is absent. */
export function isSame(
  a: unknown,
  b: unknown,
  options: { lenient?: boolean } = {},
): boolean {
  if (a instanceof Date || b instanceof Date) return String(a) === String(b);
  if (options.lenient && isEmpty(a) && isEmpty(b)) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length &&
      a.every((item, i) => isSame(item, b[i], options));
  }
  const [left, right] = options.lenient ? [a ?? {}, b ?? {}] : [a, b];
  if (!isTable(left) || !isTable(right)) return Object.is(a, b);
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) =>
    isSame(own(left, key), own(right, key), options)
  );
}

function isEmpty(value: unknown): boolean {
  return value === undefined || Array.isArray(value) && value.length === 0 ||
    isTable(value) && Object.values(value).every(isEmpty);
}

/** The changes that make `old` say what `wanted` says. Done in their order, each finds its place. */
export function changesBetween(
  old: unknown,
  wanted: unknown,
  path: Path = [],
): Change[] {
  if (isSame(old, wanted)) return [];
  if (isTable(old) && isTable(wanted)) {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(wanted)])];
    return keys.flatMap((key): Change[] => {
      const [before, now] = [own(old, key), own(wanted, key)];
      const at = [...path, key];
      if (now === undefined) return [{ verb: "remove", path: at }];
      if (before !== undefined) return changesBetween(before, now, at);
      return [{ verb: "add", path: at, value: now }];
    });
  }
  if (Array.isArray(old) && Array.isArray(wanted)) {
    return listChanges(old, wanted, path);
  }
  return [{ verb: "set", path, value: wanted }];
}

/** Elements are taken out and put at the end; a list of the same length is changed element by element. */
function listChanges(
  old: readonly unknown[],
  wanted: readonly unknown[],
  path: Path,
): Change[] {
  if (old.length === wanted.length && old.every(isTable)) {
    return old.flatMap((item, i) =>
      changesBetween(item, wanted[i], [...path, i])
    );
  }
  let matched = 0;
  const gone = old.flatMap((item, i) => {
    if (matched === wanted.length || !isSame(item, wanted[matched])) return [i];
    matched++;
    return [];
  });
  const added = wanted.slice(matched);
  const isAnew = matched === 0 && gone.length > 0 && added.length > 0 &&
    !old.every(isTable);
  if (isAnew) return [{ verb: "set", path, value: wanted }];
  return [
    ...added.map((value) => ({ verb: "append", path, value }) as const),
    ...gone.toReversed().map((i) =>
      ({ verb: "remove", path: [...path, i] }) as const
    ),
  ];
}

/** A key may be called like something that every object has. */
function own(table: Document, key: string): unknown {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
