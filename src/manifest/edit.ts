/** Changing `aenv.toml`: comments, order, layout and quoting stay. Nothing here writes a file. */
import { stringify } from "smol-toml";
import { AppError } from "../base/errors.ts";
import { didYouMean, quote } from "../base/text.ts";
import { editToml } from "./edit_toml.ts";
import { type Document, isSame } from "./edit_values.ts";
import { ENTRY_KEYS } from "./entries.ts";
import { parseManifest } from "./parse.ts";
import type { Entry, EntryKind, Manifest } from "./schema.ts";
import { tomlString } from "./toml.ts";

/** Which manifest, and which of its lists. */
export interface EntryPlace {
  readonly kind: EntryKind;
  /** Names the manifest in errors. */
  readonly file: string;
}

const NOUNS: Readonly<Record<EntryKind, string>> = {
  plugins: "plugin",
  skills: "skill",
};

/** `text` with one more plugin or skill. Throws `ITEM_EXISTS`, `MANIFEST_INVALID`. */
export function addEntry(
  text: string,
  entry: Entry,
  { kind, file }: EntryPlace,
): string {
  const before = parseManifest(text, file);
  const key = entry.name.toLowerCase();
  if (before[kind].some(({ name }) => name.toLowerCase() === key)) {
    const noun = NOUNS[kind];
    throw new AppError(
      "ITEM_EXISTS",
      `Cannot add ${noun} ${quote(entry.name)}: ${
        quote(file)
      } declares it already`,
    );
  }
  return edited(text, {
    file,
    edit: (document) => listOf(document, kind).push(tableOf(entry)),
    wanted: { ...before, [kind]: [...before[kind], entry] },
    hint: `Add these lines by hand:\n${blockOf(entry, kind)}`,
  });
}

/** `text` without the plugin or skill of that name. Comment lines stay. Throws `ITEM_NOT_FOUND`, `MANIFEST_INVALID`. */
export function removeEntry(
  text: string,
  name: string,
  { kind, file }: EntryPlace,
): string {
  const before = parseManifest(text, file);
  const index = indexOf(before, name, { kind, file });
  return edited(text, {
    file,
    edit: (document) => listOf(document, kind).splice(index, 1),
    wanted: { ...before, [kind]: before[kind].toSpliced(index, 1) },
    hint: `Take these lines out by hand:\n${
      blockOf(before[kind][index]!, kind)
    }`,
  });
}

/** `text` with another source or subpath for the plugin or skill of that name. Throws `ITEM_NOT_FOUND`, `MANIFEST_INVALID`. */
export function setEntry(
  text: string,
  entry: Entry,
  { kind, file }: EntryPlace,
): string {
  const before = parseManifest(text, file);
  const index = indexOf(before, entry.name, { kind, file });
  return edited(text, {
    file,
    edit: (document) => listOf(document, kind)[index] = tableOf(entry),
    wanted: { ...before, [kind]: before[kind].with(index, entry) },
    hint: `Change the entry by hand to:\n${blockOf(entry, kind)}`,
  });
}

/** `text` after `edit` changed its values in place. Throws `MANIFEST_INVALID`, also when the changed manifest would not be valid. */
export function editManifest(
  text: string,
  edit: (document: Document) => void,
  { file }: { file: string },
): string {
  parseManifest(text, file);
  return edited(text, { file, edit });
}

/** What is to be done, and what the manifest should say then. */
interface Edit {
  readonly file: string;
  readonly edit: (document: Document) => void;
  /** What the edited values say unless given. */
  readonly wanted?: Manifest;
  readonly hint?: string;
}

/** The edited text, when it says what was meant. */
function edited(text: string, { file, edit, wanted, hint }: Edit): string {
  let values: Document = {};
  const result = editToml(text, (document) => {
    edit(document);
    values = document;
  }, { file, code: "MANIFEST_INVALID", hint });
  const manifest = parseManifest(result, file);
  const meant = wanted ?? parseManifest(stringify(values), file);
  if (isSame(manifest, meant)) return result;
  throw new AppError(
    "MANIFEST_INVALID",
    `Cannot edit ${quote(file)}: the result would say something else`,
    { hint: hint ?? "Make the change by hand" },
  );
}

function listOf(document: Document, kind: EntryKind): unknown[] {
  const section = (document[kind] ??= {}) as Document;
  return (section["enabled"] ??= []) as unknown[];
}

function tableOf(entry: Entry): Document {
  return Object.fromEntries(
    ENTRY_KEYS.flatMap((key) =>
      entry[key] === undefined ? [] : [[key, entry[key]]]
    ),
  );
}

function blockOf(entry: Entry, kind: EntryKind): string {
  const rows = Object.entries(tableOf(entry)).map(([key, value]) =>
    `${key} = ${tomlString(String(value))}`
  );
  return [`[[${kind}.enabled]]`, ...rows].join("\n");
}

function indexOf(
  manifest: Manifest,
  name: string,
  { kind, file }: EntryPlace,
): number {
  const names: readonly string[] = manifest[kind].map((entry) => entry.name);
  const index = names.indexOf(name);
  if (index >= 0) return index;
  const near = didYouMean(name, names);
  const hint = near === undefined ? undefined : `Did you mean ${quote(near)}?`;
  const noun = NOUNS[kind];
  throw new AppError(
    "ITEM_NOT_FOUND",
    `Cannot find ${noun} ${quote(name)}: ${quote(file)} does not declare it`,
    { hint },
  );
}
